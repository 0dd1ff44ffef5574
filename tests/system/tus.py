"""A tus client that keeps its connections in its own hands: it may cut them, stall, or lie."""

import base64
import hashlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPResponse
from urllib.parse import urlsplit

from tests.system.http_client import Person
from tests.waiting import wait_until

OCTETS = "application/offset+octet-stream"
PATIENCE = 60  # seconds; a guard against hanging for ever, no measure of anything
AT_ONCE = b"\1\0\0\0\0\0\0\0"  # SO_LINGER that makes a close a reset


@dataclass(frozen=True)
class Answer:
    """What came back; header names in any case."""

    status: int
    headers: Message
    body: bytes


def checksum(content: bytes, algorithm: str = "sha1") -> dict[str, str]:
    """Return the header that tells a chunk's digest."""
    digest = hashlib.new(algorithm, content).digest()
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}


def metadata(**values: str) -> dict[str, str]:
    """Return the header that describes an upload."""
    pairs = (f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())
    return {"Upload-Metadata": ",".join(pairs)}


class Tus:
    """Speaks tus for somebody, on a new connection for each request."""

    def __init__(self, person: Person) -> None:
        where = urlsplit(person.url)
        self._address = (str(where.hostname), int(where.port or 80))
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.cookies)
        self._always = {"Host": where.netloc, "Cookie": cookies, "Tus-Resumable": "1.0.0"}

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(self._address, timeout=PATIENCE)

    def head_of(
        self, method: str, path: str, length: int, headers: dict[str, str] | None = None
    ) -> bytes:
        """Return the head of a request whose body has so many bytes."""
        lines = self._always | {"Content-Length": str(length)} | (headers or {})
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode()

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a request, and return its answer."""
        with self.connect() as connection:
            connection.sendall(self.head_of(method, path, len(content), headers) + content)
            return read_answer(connection, method)

    def create(
        self, length: int, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        """Announce an upload, and send its beginning with it."""
        kind = {"Content-Type": OCTETS} if content else {}
        given = {"Upload-Length": str(length)} | kind | (headers or {})
        return self.ask("POST", "/upload/files", content, given)

    def begin(self, length: int) -> str:
        """Announce an upload, again while service is busy, and return its address."""
        made: list[Answer] = []

        def answered() -> bool:
            made[:] = [self.create(length)]
            return made[0].status != 503

        wait_until(answered, within=PATIENCE, what="a place for an upload")
        assert made[0].status == 201, made[0]
        return str(made[0].headers["Location"])

    def patch(
        self, path: str, offset: int, content: bytes, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send bytes of an upload."""
        return self.ask("PATCH", path, content, at(offset) | (headers or {}))

    def head(self, path: str) -> Answer:
        """Ask where an upload stands."""
        return self.ask("HEAD", path)

    def offset(self, path: str) -> int:
        """Return where an upload stands."""
        answer = self.head(path)
        assert answer.status == 200, answer
        return int(answer.headers["Upload-Offset"])

    @contextmanager
    def open_patch(
        self, path: str, offset: int, length: int, headers: dict[str, str] | None = None
    ) -> Iterator[socket.socket]:
        """Send the head of a PATCH; the body is the caller's to send."""
        with self.connect() as connection:
            given = at(offset) | (headers or {})
            connection.sendall(self.head_of("PATCH", path, length, given))
            yield connection


def at(offset: int) -> dict[str, str]:
    """Return the headers that bytes of an upload go with."""
    return {"Content-Type": OCTETS, "Upload-Offset": str(offset)}


def read_answer(connection: socket.socket, method: str = "PATCH") -> Answer:
    """Read the answer to the request that was sent last."""
    response = HTTPResponse(connection, method=method)
    response.begin()
    return Answer(response.status, response.headers, response.read())


def reset(connection: socket.socket) -> None:
    """Leave at once, without a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    connection.close()
