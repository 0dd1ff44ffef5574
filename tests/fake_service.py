"""Stands in for a service behind a front server, and what a client of that front server got."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn, UnixStreamServer
from threading import Event, Lock, Thread
from typing import Any


@dataclass(frozen=True)
class Seen:
    """A request as a service got it."""

    method: str
    path: str
    headers: Message
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return a header; several of one name, joined."""
        return ", ".join(self.headers.get_all(name) or []) or None


@dataclass(frozen=True)
class Reply:
    """What a fake service answers.

    :ivar held: makes it an event stream, which ends once this is set.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    held: Event | None = None


@dataclass(frozen=True)
class Answer:
    """What a client got."""

    status: int
    headers: HTTPMessage
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header that must not come twice."""
        values = self.headers.get_all(name) or []
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    def json(self) -> Any:
        """Return the body, which must be JSON."""
        assert self.header("Content-Type") == "application/json"
        return json.loads(self.body)


class FakeService:
    """Notes every request, and answers as `reply` says: with its name, unless a test changes that.

    :param socket: where it listens; without one, on a free port of loopback.
    :ivar began: set when a request's head has arrived here.
    :ivar port: where it listens if it has no socket.
    """

    def __init__(self, name: str, socket: Path | None = None) -> None:
        self.name = name
        self.seen: list[Seen] = []
        self.reply: Callable[[Seen], Reply] = self.reply_with_name
        self.began = Event()
        self._lock = Lock()
        handler = _handler_of(self)
        self._server: TCPServer | UnixStreamServer
        if socket is not None:
            self._server = _UnixServer(str(socket), handler)
        else:
            self._server = _PortServer(("127.0.0.1", 0), handler)
            self.port: int = self._server.server_address[1]
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def note(self, seen: Seen) -> None:
        """Remember a request."""
        with self._lock:
            self.seen.append(seen)

    def reply_with_name(self, _seen: Seen) -> Reply:
        """Answer with the service's name, as it does at first."""
        return Reply(headers={"Content-Type": "text/plain"}, body=self.name.encode())

    def close(self) -> None:
        """Stop answering; connections are refused from then on."""
        self._server.shutdown()
        self._server.server_close()


class _Threads(ThreadingMixIn):
    daemon_threads = True
    request_queue_size = 1024  # as gunicorn's, not the library's 5

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what goes wrong, but not that the front server has gone."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[misc]


class _UnixServer(_Threads, UnixStreamServer):
    pass


class _PortServer(_Threads, TCPServer):
    pass


def _handler_of(service: FakeService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def address_string(self) -> str:
            return "a front server"

        def answer(self) -> None:
            service.began.set()
            seen = Seen(self.command, self.path, self.headers, self._body())
            service.note(seen)
            reply = service.reply(seen)
            self.send_response(reply.status)
            for header, value in reply.headers.items():
                self.send_header(header, value)
            if reply.held is not None:
                self.end_headers()
                self.wfile.write(reply.body)
                reply.held.wait(20)
                self.close_connection = True
                return
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            # Of a body that was cut there is no last chunk.
            while size := int(self.rfile.readline() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        # The library calls a method by the name of the request's.
        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

        def log_message(self, *_args: Any) -> None:
            """Stay quiet."""

    return Handler
