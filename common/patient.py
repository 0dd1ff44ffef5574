"""gunicorn's threaded worker, made patient: a viewer who pauses costs a socket, and no thread.

gunicorn sends a file in the thread that answered, which then stands still for as long as the
client does. Here a thread sends what the client takes without a pause of its own. When the client
stalls, what is left goes with its connection to the worker's poller, which waits for many at once;
each time the client has taken some, a thread of the pool sends on, without waiting.

Only files are sent so, which is what players ask for; pages are small enough for a socket's buffer.
"""

import os
import select
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_WRITE
from socket import socket
from typing import Any, BinaryIO

from gunicorn.workers.gthread import ThreadWorker

# Who asks for one range after the other is answered by one thread, which spares them the way
# through the poller and back; others wait for their turn behind so many of its requests at most.
_IN_A_ROW = 16
_NEXT = 5  # milliseconds in which the next one must come; a client reads on for some of them

_PATIENCE = 100  # milliseconds; a reader as fast as the network drains its buffer in less
_AT_ONCE = 1 << 30  # bytes; one call of sendfile(2) takes at most 2 GiB


@dataclass
class _Rest:
    """The part of a file that has not been sent: of an open file that is ours to close."""

    file: int
    offset: int
    count: int


class PatientSocket(socket):
    """A connection whose `sendfile` comes back when the client stalls, and is gone on with later.

    :ivar rest: what is left to send, or None.
    """

    rest: _Rest | None = None

    def sendfile(self, file: BinaryIO, offset: int = 0, count: int | None = None) -> int:  # type: ignore[override]
        """Send a part of a file, or as much of it as the client takes without stalling.

        :raises OSError: the client is gone, or the file is shorter than it was.
        """
        if count is None:
            count = os.fstat(file.fileno()).st_size - offset
        self.setblocking(False)
        try:
            sent = self._send(file.fileno(), offset, count, patience=_PATIENCE)
        finally:
            self.setblocking(True)
        if sent < count:
            # Whoever opened the file closes it when we are back.
            self.rest = _Rest(os.dup(file.fileno()), offset + sent, count - sent)
        return sent

    def send_on(self) -> None:
        """Send of the rest what the client takes at once.

        :raises OSError: as for :meth:`sendfile`.
        """
        rest = self.rest
        if rest is None:
            return
        sent = self._send(rest.file, rest.offset, rest.count, patience=0)
        rest.offset += sent
        rest.count -= sent
        if not rest.count:
            self.drop_rest()

    def drop_rest(self) -> None:
        """Let go of what is left, if there is something."""
        if self.rest is not None:
            os.close(self.rest.file)
            self.rest = None

    def _send(self, file: int, offset: int, count: int, *, patience: int) -> int:
        total = 0
        while total < count:
            try:
                sent = os.sendfile(
                    self.fileno(), file, offset + total, min(count - total, _AT_ONCE)
                )
            except BlockingIOError:
                if not patience or not self._takes_more(patience):
                    break
                continue
            if not sent:
                raise OSError("the file is shorter than it was")
            total += sent
        return total

    def _takes_more(self, patience: int) -> bool:
        return self.is_ready(select.POLLOUT, patience)

    def is_ready(self, event: int, patience: int) -> bool:
        """Wait some milliseconds for an event of `select.poll`, and tell whether it came."""
        poll = select.poll()
        poll.register(self, event)
        return bool(poll.poll(patience))


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Carries each request in a thread, and connections that stall in its poller."""

    def handle(self, conn: Any) -> Any:
        """Answer a request, and those that follow at once, in a thread of the pool."""
        given = conn.sock
        if not isinstance(given, PatientSocket):
            family, kind, protocol = given.family, given.type, given.proto
            conn.sock = PatientSocket(family, kind, protocol, fileno=given.detach())
        for _ in range(_IN_A_ROW):
            # True: the connection goes on, and not False, or a token of the base's.
            if (outcome := self.answer(conn)) is not True or not self._follows(conn):
                break
        return outcome

    def answer(self, conn: Any) -> Any:
        """Answer one request, and tell gunicorn how its connection goes on."""
        return super().handle(conn)

    def _follows(self, conn: Any) -> bool:
        if conn.sock.rest is not None or not self.alive:
            return False
        # What was read ahead with the last request makes no event.
        read_ahead: bytes = conn.parser.unreader.buf.getvalue()
        return bool(read_ahead) or conn.sock.is_ready(select.POLLIN, _NEXT)

    def finish_request(self, conn: Any, fs: "Future[Any]") -> None:
        """Wait for the client to take the rest, in the main thread; or end the request."""
        if isinstance(conn.sock, PatientSocket) and conn.sock.rest is not None:
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, EVENT_WRITE, partial(self._on_writable, conn, fs))
        else:
            super().finish_request(conn, fs)

    def _on_writable(self, conn: Any, fs: "Future[Any]", client: PatientSocket) -> None:
        self.poller.unregister(client)
        # In a thread, since the disk may take its time.
        sending = self.tpool.submit(client.send_on)
        sending.add_done_callback(
            lambda done: self.method_queue.defer(self._on_sent, conn, fs, done)
        )

    def _on_sent(self, conn: Any, fs: "Future[Any]", done: "Future[None]") -> None:
        if done.cancelled() or done.exception() is not None:
            conn.sock.drop_rest()
            self.nr_conns -= 1
            conn.close()
        else:
            self.finish_request(conn, fs)
