"""The body of an upload's request: received as it comes, bounded in bytes and in patience."""

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from flask import Request

from common.errors import MatineeError
from upload_service.pipeline import PAGE, SIZE, Buffer, buffers

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream

FRAME = 1 << 18
"""Bytes that a form may have beside its file: the fields, their headers and the boundaries."""

_CHUNKED_PIECE = 1 << 16  # bytes; so many can be lost when a client leaves within them
_GATHER = 0.02  # seconds without a byte that are no pause yet
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


def _nothing() -> None:
    pass


class Body:
    """What a request carries, in the buffers of the pipeline.

    It goes to the socket itself: gunicorn's reader waits until it has all that was asked for.
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

    def pieces(
        self, make_room: Callable[[], None] = _nothing, *, limit: int | None = None, at: int = 0
    ) -> Iterator[Buffer]:
        """Yield what arrives when it does, in buffers that the caller releases.

        Nothing that was received is lost when the client leaves or stalls, unless it sends in
        chunked coding. Whoever waits for a client holds no buffer.

        :param make_room: gives back the buffers that the caller has not released.
        :param limit: bytes, for a body that came without its length.
        :param at: where in a file it goes; a piece that does not begin with a page there ends
            with one, if enough comes.
        :raises BodyTooLarge: it goes on past the limit.
        :raises ClientLeft: it ends too early.
        :raises ClientStalled: it does not go on.
        """
        arrived = 0
        while self._left != 0 and not self._ended:
            self._wait(make_room)
            buffer = buffers.take(make_room)
            try:
                count = self._receive(buffer.memory[: SIZE - (at + arrived) % PAGE])
            except BaseException:
                buffer.release()
                raise
            if not count:
                buffer.release()
                self._ended = True
                if self._left is not None:
                    raise ClientLeft
                return
            if self._left is not None:
                self._left -= count
            arrived += count
            if limit is not None and arrived > limit:
                buffer.release()
                raise BodyTooLarge("The body is larger than this address takes.")
            buffer.content = buffer.memory[:count]
            yield buffer

    def interrupt(self) -> None:
        """End the wait of whoever is receiving this, as if the client had left."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RD)

    def _wait(self, make_room: Callable[[], None]) -> None:
        """Wait until there is something to receive; what comes in chunks is waited for later."""
        if self._socket is None:
            return
        if self._left is None:
            if not self._is_readable(0):
                make_room()
            return
        if self._held() or self._is_readable(_GATHER):
            return
        make_room()
        if not self._is_readable(_PATIENCE):
            self._ended = True
            raise ClientStalled

    def _is_readable(self, seconds: float) -> bool:
        # Looked up when it is called: under gevent it lets others go on.
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def _receive(self, memory: memoryview) -> int:
        if self._socket is not None and self._left is not None:
            return self._receive_plain(memory[: self._left])
        try:
            return self._read_into(memory)
        except TimeoutError as error:
            self._ended = True
            raise ClientStalled from error
        except OSError as error:
            self._ended = True
            raise ClientLeft from error

    def _read_into(self, memory: memoryview) -> int:
        """As :meth:`_receive_plain`, through the server's reader.

        Its decoder of chunks cannot go on after a pause within one, so a longer pause ends the
        request; 0 is the end of the body here.
        """
        wanted = min(len(memory), _CHUNKED_PIECE) if self._left is None else self._left
        with self._patient(_PATIENCE):
            piece = self._stream.read(min(len(memory), wanted))
        memory[: len(piece)] = piece
        return len(piece)

    def _held(self) -> int:
        """Return how many bytes gunicorn has read together with the request's head."""
        count: int = self._stream.reader.unreader.buf.getbuffer().nbytes  # type: ignore[attr-defined]
        return count

    def _receive_plain(self, memory: memoryview) -> int:
        """Take what gunicorn holds, then what comes without a pause."""
        reader: Any = self._stream.reader  # type: ignore[attr-defined]
        count = min(self._held(), len(memory))
        if count:
            memory[:count] = reader.read(count)
        until = time.monotonic() + _GATHER
        with self._patient(0):
            while count < len(memory):
                received = self._receive_at_once(memory[count:])
                if received == 0:
                    break
                if received is None:
                    pause = until - time.monotonic()
                    if pause <= 0 or not self._is_readable(pause):
                        break
                    continue
                reader.length -= received  # keeps gunicorn's account of what is left
                count += received
        return count

    def _receive_at_once(self, memory: memoryview) -> int | None:
        """Return how much was there; None if nothing is yet; 0 if nothing will be."""
        try:
            count: int = self._socket.recv_into(memory)
        except BlockingIOError:
            return None
        except OSError:
            return 0  # reset; what was received before counts
        return count

    def discard(self) -> None:
        """Take what a refused client still sends, for a few seconds.

        Closing with bytes unread resets the connection, and a client that sends everything
        before it reads would never see why it was refused (RFC 9112, 9.6).
        """
        deadline = time.monotonic() + _LINGER
        with suppress(MatineeError), self._patient(_LINGER_PATIENCE):
            while time.monotonic() < deadline and self._read(_LINGER_PIECE):
                pass

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

    @contextmanager
    def _patient(self, seconds: float) -> Iterator[None]:
        """Let reads fail that take longer. Gunicorn's own, of what comes next, must not."""
        if self._socket is None:
            yield
            return
        self._socket.settimeout(seconds)
        try:
            yield
        finally:
            with suppress(OSError):
                self._socket.settimeout(None)
