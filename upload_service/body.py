"""The body of an upload's request: read in large pieces, bounded in bytes and in patience."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flask import Request

from common.errors import MatineeError

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream

PIECE = 1 << 20
FRAME = 1 << 18
"""Bytes that a form may have beside its file: the fields, their headers and the boundaries."""

_ARRIVING = 1 << 18  # bytes; each upload under way holds a buffer of so many
_CHUNKED_PIECE = 1 << 16  # bytes; so many can be lost when a client leaves within them
_QUIET = 0.3  # seconds without a byte until whoever reads may look around
_PATIENCE = 60  # seconds without a byte; a gateway before us gives up earlier
_LINGER = 5  # seconds in which a client that was refused may send the rest
_LINGER_PATIENCE = 1  # seconds without a byte of that rest
_LINGER_PIECE = 1 << 16


class BodyTooLarge(MatineeError):
    """More bytes are announced, or come, than this address takes."""

    status = 413


class LengthUnknown(MatineeError):
    """The server cannot tell where the body ends."""

    status = 411

    def __init__(self) -> None:
        super().__init__("Send the length of the body, or send it in chunks.")


class ClientLeft(MatineeError):
    """The connection ended before the body did. Nobody is likely to read the answer."""

    def __init__(self) -> None:
        super().__init__("The connection ended before everything had arrived. Send it again.")


class ClientStalled(MatineeError):
    """The client has sent nothing for so long that the thread is better used for others."""

    status = 408

    def __init__(self) -> None:
        super().__init__("Nothing has arrived for a minute. Send it again.")


class Body:
    """What a request carries, as pieces of at most a mebibyte.

    It reads the server's own stream: Flask's would copy every byte once more.
    """

    def __init__(self, request: Request) -> None:
        environ = request.environ
        self._stream: InputStream = environ["wsgi.input"]
        self._socket: Any = environ.get("gunicorn.socket")  # none in another server
        self._ends_itself = bool(environ.get("wsgi.input_terminated"))
        self._left = request.content_length  # None in chunked coding
        self._ended = False

    def require_at_most(self, limit: int, sentence: str) -> None:
        """Look at the length before a byte is read.

        :param sentence: what to say if it is more.
        :raises BodyTooLarge: more is announced.
        :raises LengthUnknown: nothing is announced, and the server does not find the end itself.
        """
        if self._left is None and not self._ends_itself:
            raise LengthUnknown
        if self._left is not None and self._left > limit:
            raise BodyTooLarge(sentence)

    def pieces(self, *, limit: int) -> Iterator[bytes]:
        """Yield the body.

        :param limit: bytes, for a body that came without its length.
        :raises BodyTooLarge: it goes on past the limit.
        :raises ClientLeft: it ends too early.
        :raises ClientStalled: it does not go on.
        """
        self._be_patient(_PATIENCE)
        while piece := self._read(PIECE):
            limit -= len(piece)
            if limit < 0:
                raise BodyTooLarge("The body is larger than this address takes.")
            yield piece

    def as_it_comes(self) -> Iterator[memoryview | None]:
        """Yield what arrives when it does, in pieces that are good until the next is asked for.

        Nothing that was received is lost when the client leaves or stalls, unless it sends in
        chunked coding.

        A piece of None says that nothing has come for a third of a second.

        :raises ClientLeft: it ends too early.
        :raises ClientStalled: it does not go on.
        """
        buffer = memoryview(bytearray(_ARRIVING))
        last = time.monotonic()
        while self._left != 0 and not self._ended:
            count = self._receive(buffer)
            if count is None:
                if time.monotonic() - last > _PATIENCE:
                    self._ended = True
                    raise ClientStalled
                yield None
                continue
            if count == 0:
                self._ended = True
                if self._left is not None:
                    raise ClientLeft
                return
            last = time.monotonic()
            if self._left is not None:
                self._left -= count
            yield buffer[:count]

    def _receive(self, buffer: memoryview) -> int | None:
        """Put what is there into the buffer; return how much, or None if nothing comes."""
        if self._socket is None:
            return self._read_into(buffer)
        try:
            if self._left is None:
                return self._receive_chunked(buffer)
            self._be_patient(_QUIET)
            return self._receive_plain(buffer[: self._left])
        except TimeoutError:
            return None
        except OSError as error:
            self._ended = True
            raise ClientLeft from error

    def _read_into(self, buffer: memoryview) -> int:
        wanted = len(buffer) if self._left is None else min(len(buffer), self._left)
        piece = self._stream.read(wanted)
        buffer[: len(piece)] = piece
        return len(piece)

    def _receive_plain(self, buffer: memoryview) -> int:
        # gunicorn's reader waits until it has all that was asked for. So take what it has read
        # with the request's head, then go to the socket, and keep its account of what is left.
        reader: Any = self._stream.reader  # type: ignore[attr-defined]
        held: int = min(reader.unreader.buf.getbuffer().nbytes, len(buffer))
        if held:
            buffer[:held] = reader.read(held)
            return held
        count: int = self._socket.recv_into(buffer)
        reader.length -= count
        return count

    def _receive_chunked(self, buffer: memoryview) -> int:
        """As :meth:`_receive_plain`, through gunicorn's decoder; 0 is the end of the body here.

        The decoder cannot go on after a pause within a chunk, so a longer one ends the request.
        """
        self._be_patient(_PATIENCE)
        try:
            piece = self._stream.read(min(len(buffer), _CHUNKED_PIECE))
        except TimeoutError as error:
            self._ended = True
            raise ClientStalled from error
        buffer[: len(piece)] = piece
        return len(piece)

    def discard(self) -> None:
        """Take what a refused client still sends, for a few seconds.

        Closing with bytes unread resets the connection, and a client that sends everything
        before it reads would never see why it was refused (RFC 9112, 9.6).
        """
        deadline = time.monotonic() + _LINGER
        self._be_patient(_LINGER_PATIENCE)
        try:
            while time.monotonic() < deadline and self._read(_LINGER_PIECE):
                pass
        except MatineeError:
            return

    def _read(self, size: int) -> bytes:
        if self._left is not None:
            size = min(size, self._left)
        if self._ended or not size:
            return b""
        try:
            piece = self._stream.read(size)
        except TimeoutError as error:
            self._ended = True
            raise ClientStalled from error
        except OSError as error:
            self._ended = True
            raise ClientLeft from error
        if self._left is not None:
            self._left -= len(piece)
            self._ended = len(piece) < size
            if self._ended:
                raise ClientLeft
        self._ended = self._ended or not piece
        return piece

    def _be_patient(self, seconds: float) -> None:
        # A socket that times out fails the read; gunicorn sets its own mode before each request.
        if self._socket is not None:
            self._socket.settimeout(seconds)
