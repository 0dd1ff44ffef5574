"""The body of an upload's request, with limits on its size and on how long a client may pause.

Only `wsgi.input` (PEP 3333) is read. Under gunicorn a read waits until it has all that was asked
for, so a pause of the client interrupts it, and what the server has by then is read in smaller
amounts. An interrupted read loses nothing: `tests/upload_service/test_body.py` holds gunicorn to
that. A body in chunked coding cannot be read on after an interruption, so it is read in whole
pieces, and a piece reaches the file once all of it is there.
"""

import socket
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any, BinaryIO

import gevent
from flask import Request
from gevent.socket import wait_read

from common.errors import MatineeError
from common.translation import gettext, gettext_noop

FORM_OVERHEAD = 1 << 18
"""Bytes that a form may have beside its file: fields, headers and boundaries."""

PIECE = 1 << 17
"""Bytes that are read at once, if the client sends quickly."""

_RECEIVE_BUFFER = 1 << 17  # bytes that the system may hold of a body; see `Body._bound_read_ahead`
_CHUNKED_PIECE = 1 << 16  # bytes; a process that is killed loses so many
_PAUSE = 0.1  # seconds in which a piece must arrive, or what has arrived is taken
_STALL_TIMEOUT = 60  # seconds without a byte; the gateway in front gives up earlier
_DRAIN_TIMEOUT = 5  # seconds in which a refused client may send the rest
_LINE = 512  # bytes; gunicorn's `read` asks for 1,024 at least, its `readline` for fewer


class BodyTooLarge(MatineeError):
    """The body is larger than this address accepts."""

    status = 413


class LengthRequired(MatineeError):
    """The server cannot tell where the body ends."""

    status = 411
    sentence = gettext_noop("Send the length of the body, or send it in chunks.")


class ClientDisconnected(MatineeError):
    """The connection ended before the body did. Nobody is likely to read the answer."""

    sentence = gettext_noop("The connection ended before everything had arrived. Send it again.")


class RequestTimeout(MatineeError):
    """The client has sent nothing for a minute."""

    status = 408
    sentence = gettext_noop("Nothing has arrived for a minute. Send it again.")


class Body:
    """The bytes of a request, in pieces as they arrive. A request has one, used by one greenlet."""

    def __init__(self, request: Request) -> None:
        environ = request.environ
        self._stream: BinaryIO = environ["wsgi.input"]
        self._socket: Any = environ.get("gunicorn.socket")  # missing in other servers
        self._has_end = bool(environ.get("wsgi.input_terminated"))
        self._remaining = request.content_length  # None in chunked coding
        self._ended = False
        self._error: MatineeError | None = None

    def require_at_most(self, max_bytes: int, sentence: str) -> None:
        """Check the announced length before a byte is read.

        :param sentence: what to say if it is larger.
        :raises BodyTooLarge: more is announced.
        :raises LengthRequired: nothing is announced, and the body is not in chunks either.
        """
        if self._remaining is None and not self._has_end:
            raise LengthRequired
        if self._remaining is not None and self._remaining > max_bytes:
            raise BodyTooLarge(sentence)

    def pieces(self, *, max_bytes: int | None = None) -> Iterator[bytes]:
        """Yield what arrives. A request that waits for its client holds no piece and no thread.

        What arrived before the client disconnected or stalled is yielded before the exception.

        :param max_bytes: for a body that came without its length.
        :raises BodyTooLarge: it is longer than that.
        :raises ClientDisconnected: it ends too early, or cannot be read.
        :raises RequestTimeout: the client has sent nothing for a minute.
        """
        received = 0
        for piece in self._chunked() if self._remaining is None else self._plain():
            received += len(piece)
            if max_bytes is not None and received > max_bytes:
                raise BodyTooLarge(gettext("The body is larger than this address accepts."))
            yield piece

    def interrupt(self) -> None:
        """End the wait of whoever is receiving this, as if the client had disconnected."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RD)

    def drain(self) -> None:
        """Read and drop what a refused client still sends, for a few seconds.

        Closing with bytes unread resets the connection, and a client that sends everything before
        it reads would never see why it was refused (RFC 9112, 9.6).
        """
        limit = gevent.Timeout(_DRAIN_TIMEOUT, False) if self._socket else nullcontext()
        with suppress(MatineeError), limit:
            for _ in self.pieces():
                pass
        if not self._ended or self._error is not None:
            self._ended = True
            self.interrupt()  # or the server would wait for the rest, for as long as it likes

    def _plain(self) -> Iterator[bytes]:
        """Yield a body of known length."""
        self._bound_read_ahead()
        while self._remaining and not self._ended:
            size = min(PIECE, self._remaining)
            piece = None
            with gevent.Timeout(_PAUSE, False) if self._socket else nullcontext():
                piece = self._read(size)
            if piece is None:
                piece = self._read_held(size)
                if not piece:
                    self._wait()
            elif len(piece) < size:
                self._fail(ClientDisconnected())
            self._remaining -= len(piece)
            if piece:
                yield piece
        self._ended = True
        if self._error is not None:
            raise self._error

    def _bound_read_ahead(self) -> None:
        """Let the server find little more than a piece in the connection.

        It reads all that is there, a megabyte at most, and copies what is left for each piece that
        is taken: several times every byte. The client of this connection is the front server, on
        the same machine or near it, so a small window does not slow it down.
        """
        if self._socket is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)

    def _chunked(self) -> Iterator[bytes]:
        """Yield a body in chunked coding, of which the server finds the end."""
        if self._socket is not None:
            self._socket.settimeout(_STALL_TIMEOUT)
        try:
            while not self._ended:
                piece = self._read(_CHUNKED_PIECE)
                self._ended = len(piece) < _CHUNKED_PIECE
                if piece:
                    yield piece
        finally:
            if self._socket is not None:
                self._socket.settimeout(None)
        if self._error is not None:
            raise self._error

    def _wait(self) -> None:
        """Wait for the next byte."""
        try:
            wait_read(self._socket.fileno(), timeout=_STALL_TIMEOUT)
        except TimeoutError:
            self._fail(RequestTimeout())

    def _read_held(self, size: int) -> bytes:
        """Return what the server holds of so many bytes.

        The amount is found bit by bit: a read of more than that would wait.
        """
        held = b""
        amount = 1 << (size.bit_length() - 1)
        while amount:
            with gevent.Timeout(0, False):
                if amount > _LINE:
                    held += self._read(amount)
                else:
                    line = self._stream.readline(amount)
                    held += line + self._stream.read(amount - len(line))
            amount >>= 1
        return held

    def _read(self, size: int) -> bytes:
        """Read from the server; after a failure return what it had received, and remember why."""
        try:
            return self._stream.read(size)
        except Exception as error:  # gunicorn has errors of its own for malformed chunks
            timed_out = isinstance(error, TimeoutError)
            self._fail(RequestTimeout() if timed_out else ClientDisconnected())
            with suppress(Exception):
                return self._stream.read(size)
            return b""

    def _fail(self, error: MatineeError) -> None:
        self._ended = True
        self._error = error
