"""Many slow clients at once, in a process of their own."""

import resource
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from typing import Protocol

from benchmarks.form_client import UploadError, connect
from benchmarks.tus_client import create_upload, start_patch

_TIMEOUT = 5  # seconds to connect, and for an answer
_SIZE = 1 << 16  # bytes of an upload that is never complete
_AT_ONCE = 16  # clients that connect at the same time


@dataclass(frozen=True)
class Scene:
    """What the clients connect to.

    :ivar video: the id of a video that everybody may watch.
    :ivar cookies: of the accounts, which the clients share.
    """

    url: str
    video: str
    cookies: tuple[str, ...]


class Client:
    """One slow client. It connects when it is made; this one sends nothing.

    :raises OSError: the server does not accept it; likewise HTTPException and UploadError.
    """

    def __init__(self, scene: Scene, number: int) -> None:
        self.cookie = scene.cookies[number % len(scene.cookies)]
        self.connection = connect(scene.url, timeout=_TIMEOUT)
        self.connection.connect()

    def step(self) -> bool:
        """Send or read a little. Tell whether the server still has the connection open."""
        return not self.has_answer()

    def close(self) -> None:
        """Disconnect."""
        self.connection.close()

    def has_answer(self) -> bool:
        """Tell whether the server has sent something, or closed the connection."""
        if self.connection.sock is None:
            return True
        poll = select.poll()
        poll.register(self.connection.sock, select.POLLIN)
        return bool(poll.poll(0))


class _Reader(Client):
    """Reads an answer slowly."""

    path: str
    accept = "*/*"

    def __init__(self, scene: Scene, number: int) -> None:
        super().__init__(scene, number)
        self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        path = self.path.format(video=scene.video)
        headers = {"Cookie": self.cookie, "Accept": self.accept}
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        if self.response.status != HTTPStatus.OK:
            raise HTTPException(f"{path} was answered {self.response.status}")

    def close(self) -> None:
        self.response.close()
        super().close()


class PausedViewer(_Reader):
    """Begins to read a video, then reads next to nothing."""

    path = "/stream/{video}/video.mp4"

    def step(self) -> bool:
        return bool(self.response.read1(100))


class EventStream(_Reader):
    """Follows how far a video is processed."""

    path = "/api/videos/{video}/progress"
    accept = "text/event-stream"

    def step(self) -> bool:
        if self.connection.sock is None:  # the answer ends with the connection
            return not self.response.isclosed()
        return not self.has_answer() or bool(self.response.read1(1 << 16))


class SlowUploader(Client):
    """Sends an upload byte by byte; every other one does so in chunked transfer coding."""

    def __init__(self, scene: Scene, number: int) -> None:
        super().__init__(scene, number)
        chunked = number % 2 == 1
        self._byte = b"1\r\n\0\r\n" if chunked else b"\0"
        path = create_upload(self.connection, "/upload/files", _SIZE, cookie=self.cookie)
        start_patch(self.connection, path, 0, None if chunked else _SIZE, cookie=self.cookie)
        self.connection.send(self._byte)

    def step(self) -> bool:
        if self.has_answer():
            return False  # an answer before the last byte is a refusal
        self.connection.send(self._byte)
        return True


class HalfBody(Client):
    """Sends the head of a login and half of its body."""

    def __init__(self, scene: Scene, number: int) -> None:
        super().__init__(scene, number)
        self.connection.putrequest("POST", "/login")
        self.connection.putheader("Content-Type", "application/x-www-form-urlencoded")
        self.connection.putheader("Content-Length", "60")
        self.connection.endheaders(b"username=alice&password=")


class HalfHead(Client):
    """Sends the first words of a request."""

    def __init__(self, scene: Scene, number: int) -> None:
        super().__init__(scene, number)
        self.connection.send(b"GET /login ")


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
