"""Many slow clients at once, in a process of their own."""

import resource
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from typing import Protocol
from urllib.parse import urlsplit

from benchmarks.form_client import UploadError, connect
from benchmarks.tus_client import create_upload, start_patch

_TIMEOUT = 5  # seconds to connect, and for an answer
_SIZE = 1 << 16  # bytes of an upload that is never complete
_AT_ONCE = 16  # clients that connect at the same time


@dataclass(frozen=True)
class Scene:
    """What the clients connect to.

    :ivar video: the path of a video that everybody may watch.
    :ivar cookies: of the accounts, which the clients share.
    """

    url: str
    video: str
    cookies: tuple[str, ...]


class Client(Protocol):
    """One slow client."""

    def __init__(self, scene: Scene, number: int) -> None:
        """Connect, and send the first bytes.

        :raises OSError: the server does not accept it; likewise HTTPException and UploadError.
        """

    def step(self) -> bool:
        """Send or read a little. Tell whether the server still has the connection open."""

    def close(self) -> None:
        """Disconnect."""


class PausedViewer:
    """Begins to read a video, then reads next to nothing."""

    def __init__(self, scene: Scene, number: int) -> None:
        self._connection = connect(scene.url, timeout=_TIMEOUT)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        headers = {"Cookie": scene.cookies[number % len(scene.cookies)]}
        self._connection.request("GET", f"{scene.video}/video.mp4", headers=headers)
        self._response = self._connection.getresponse()
        if self._response.status != 200:
            raise HTTPException(f"a viewer was answered {self._response.status}")

    def step(self) -> bool:
        return bool(self._response.read1(100))

    def close(self) -> None:
        self._response.close()
        self._connection.close()


class EventStream:
    """Follows how far a video is processed."""

    def __init__(self, scene: Scene, number: int) -> None:
        self._connection = connect(scene.url, timeout=_TIMEOUT)
        headers = {"Cookie": scene.cookies[number % len(scene.cookies)]}
        headers["Accept"] = "text/event-stream"
        path = f"/api/videos/{scene.video.rpartition('/')[2]}/progress"
        self._connection.request("GET", path, headers=headers)
        self._response = self._connection.getresponse()
        if self._response.status != 200:
            raise HTTPException(f"an event stream was answered {self._response.status}")

    def step(self) -> bool:
        if self._connection.sock is None:  # the answer ends with the connection
            return not self._response.isclosed()
        return not _is_readable(self._connection.sock) or bool(self._response.read1(1 << 16))

    def close(self) -> None:
        self._response.close()
        self._connection.close()


class SlowUploader:
    """Sends an upload byte by byte; every other one does so in chunked transfer coding."""

    def __init__(self, scene: Scene, number: int) -> None:
        cookie = scene.cookies[number % len(scene.cookies)]
        self._chunked = number % 2 == 1
        self._connection = connect(scene.url, timeout=_TIMEOUT)
        path = create_upload(self._connection, "/upload/files", _SIZE, cookie=cookie)
        length = None if self._chunked else _SIZE
        start_patch(self._connection, path, 0, length, cookie=cookie)
        self._connection.send(self._byte())

    def step(self) -> bool:
        if self._connection.sock is None or _is_readable(self._connection.sock):
            return False  # an answer before the last byte is a refusal
        self._connection.send(self._byte())
        return True

    def close(self) -> None:
        self._connection.close()

    def _byte(self) -> bytes:
        return b"1\r\n\0\r\n" if self._chunked else b"\0"


class HalfBody:
    """Sends the head of a login and half of its body."""

    def __init__(self, scene: Scene, _number: int) -> None:
        self._connection = connect(scene.url, timeout=_TIMEOUT)
        self._connection.putrequest("POST", "/login")
        self._connection.putheader("Content-Type", "application/x-www-form-urlencoded")
        self._connection.putheader("Content-Length", "60")
        self._connection.endheaders(b"username=alice&password=")

    def step(self) -> bool:
        return not _is_readable(self._connection.sock)

    def close(self) -> None:
        self._connection.close()


class Silent:
    """Connects, and sends nothing."""

    first = b""

    def __init__(self, scene: Scene, _number: int) -> None:
        where = urlsplit(scene.url)
        self._socket = socket.create_connection((where.hostname, where.port or 80), _TIMEOUT)
        self._socket.sendall(self.first)

    def step(self) -> bool:
        return not _is_readable(self._socket)

    def close(self) -> None:
        self._socket.close()


class HalfHead(Silent):
    """Sends the first words of a request."""

    first = b"GET /login "


def _is_readable(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def crowd(
    scene: Scene, kinds: Mapping[type[Client], int], *, pause: float
) -> Iterator[Callable[[], int]]:
    """Keep so many clients of each kind connected while the block runs.

    Yields a function that returns how many connections the server has refused or closed. Those are
    opened again.

    :param pause: seconds between two steps of one client.
    """
    spawn = get_context("spawn")
    begun, over, closed = spawn.Event(), spawn.Event(), spawn.Value("i", 0)
    arguments = (scene, dict(kinds), pause, begun, over, closed)
    process = spawn.Process(target=_run, args=arguments)
    process.start()
    try:
        while not begun.wait(1):
            if process.exitcode is not None:
                raise RuntimeError("the slow clients could not start")
        yield lambda: int(closed.value)
    finally:
        over.set()
        process.join()


class _Counter(Protocol):
    value: int


def _run(
    scene: Scene,
    kinds: Mapping[type[Client], int],
    pause: float,
    begun: Event,
    over: Event,
    closed: _Counter,
) -> None:
    everybody = [(kind, number) for kind, count in kinds.items() for number in range(count)]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * len(everybody) + 1000), hard))

    def start(member: tuple[type[Client], int]) -> Client | None:
        kind, number = member
        try:
            return kind(scene, number)
        except (OSError, HTTPException, UploadError):
            return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        clients = list(pool.map(start, everybody))
    closed.value += clients.count(None)
    begun.set()
    while True:
        began = time.monotonic()
        for number, client in enumerate(clients):
            due = began + pause * number / len(clients)
            if over.wait(max(0.0, due - time.monotonic())):
                for each in filter(None, clients):
                    each.close()
                return
            if client is None:
                clients[number] = start(everybody[number])
            elif not _step(client):
                closed.value += 1
                clients[number] = start(everybody[number])


def _step(client: Client) -> bool:
    try:
        if client.step():
            return True
    except (OSError, HTTPException):
        pass
    with closing(client):
        return False
