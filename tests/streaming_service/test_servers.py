"""Bytes as they leave real servers: gunicorn as it runs standalone, and nginx to measure it by."""

import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from db.models import Visibility
from streaming_service.delivery import _bound_stalls

from .conftest import BYTES
from .questions import QUESTIONS, Question
from .servers import Server, nginx, standalone
from .stock import Stock, fill

LARGE = 8 << 20  # bytes; more than the buffers of a connection hold


class Shelf(Stock):
    """Two public videos in stores of their own, so that nobody has to sign in."""

    @property
    def small(self) -> str:
        """The id of a video of 1,000 bytes."""
        return self.videos[0]

    @property
    def large(self) -> str:
        """The id of one of 8 MiB that says at each place where it is."""
        return self.videos[1]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Shelf:
    """The two videos."""
    contents = [BYTES, b"".join(struct.pack(">Q", at) for at in range(0, LARGE, 8))]
    folder = tmp_path_factory.mktemp("shelf")
    return Shelf(*fill(folder, redis_url, contents=contents, visibility=Visibility.PUBLIC))


@pytest.fixture(scope="module")
def ours(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The site as `make run` starts it."""
    folder = tmp_path_factory.mktemp("gunicorn")
    with standalone(folder, video_id=shelf.small, environment=shelf.environment) as server:
        yield server


@pytest.fixture(scope="module")
def theirs(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A plain nginx with `max_ranges 1`."""
    folder = tmp_path_factory.mktemp("nginx")
    with nginx(folder, video_id=shelf.small, file=shelf.file(shelf.small)) as server:
        yield server


def _check(server: Server, question: Question) -> None:
    known = server.ask("HEAD").headers
    asked = question.filled(etag=known["ETag"], modified=known["Last-Modified"])

    answer = server.ask(question.method, asked)

    assert answer.status == question.status
    if question.part is None:
        content_range = "bytes */1000" if answer.status == 416 else None
        assert answer.headers["Content-Range"] == content_range
        return
    first, last = question.part.start, question.part.stop - 1
    assert answer.body == (b"" if question.method == "HEAD" else BYTES[first : last + 1])
    assert answer.headers["Content-Length"] == str(len(question.part))
    assert answer.headers["Content-Type"] == "video/mp4"
    # nginx says so in a 200 only, we in both.
    assert answer.headers["Accept-Ranges"] in (
        ("bytes",) if answer.status == 200 else ("bytes", None)
    )
    content_range = f"bytes {first}-{last}/1000" if answer.status == 206 else None
    assert answer.headers["Content-Range"] == content_range


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_gunicorn_answers_as_the_table_says(ours: Server, question: Question) -> None:
    _check(ours, question)


@pytest.mark.needs_nginx
@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_nginx_answers_as_the_table_says(theirs: Server, question: Question) -> None:
    _check(theirs, question)


@pytest.mark.needs_nginx
def test_both_name_a_file_alike(ours: Server, theirs: Server) -> None:
    """So that a player that goes from one to the other keeps what it has."""
    own, other = ours.ask(), theirs.ask()

    for name in ("ETag", "Last-Modified", "Content-Length", "Content-Type", "Accept-Ranges"):
        assert own.headers[name] == other.headers[name]


def test_a_refusal_is_json_with_the_headers_it_needs(ours: Server) -> None:
    beyond = ours.ask(headers={"Range": "bytes=1000-"})
    posted = ours.ask("POST")

    assert beyond.headers["Cache-Control"] == "private, no-cache"
    assert beyond.headers["Content-Type"] == posted.headers["Content-Type"] == "application/json"
    assert posted.headers["Allow"] == "GET, HEAD"


def test_one_connection_serves_many_ranges(ours: Server) -> None:
    with socket.create_connection(("127.0.0.1", ours.port), timeout=5) as client:
        reader = client.makefile("rb")
        for first in (0, 990, 17):
            asked = f"Range: bytes={first}-{first + 9}"
            client.sendall(f"GET {ours.path} HTTP/1.1\r\nHost: x\r\n{asked}\r\n\r\n".encode())
            assert b"206" in reader.readline()
            while reader.readline() != b"\r\n":
                pass
            assert reader.read(10) == BYTES[first : first + 10]


def test_ranges_of_a_large_file_are_of_the_right_place(shelf: Shelf, ours: Server) -> None:
    path = f"/stream/{shelf.large}/video.mp4"
    for first, count in ((0, 8), (LARGE - 8, 8), (5 << 20, 2 << 20), (12_345 * 8, 100_000)):
        asked = {"Range": f"bytes={first}-{first + count - 1}"}
        answer = ours.ask(headers=asked, path=path)
        assert answer.status == 206
        assert len(answer.body) == count
        assert struct.unpack(">Q", answer.body[:8]) == (first,)
        assert struct.unpack(">Q", answer.body[-8:]) == (first + count - 8,)


@pytest.mark.parametrize(
    "path",
    [
        "/stream/../{id}/video.mp4",
        "/stream/{id}/../{id}/original.mp4",
        "/stream/%2e%2e/{id}/original.mp4",
        "/stream/%252e%252e/{id}/original.mp4",
        "/stream/..;/{id}/original.mp4",
        "/stream/..;/video.mp4",
        "/stream/{id}/..%2f..%2fmatinee.db",
        "/stream/{id}\\video.mp4",
        "/stream/{id}%5cvideo.mp4",
        "/stream/{id}/video.mp4%00",
        "/stream/{id}%00/video.mp4",
        "/stream/{id}/original.mp4",
        "/stream/{id}/",
        "/stream/{id}//video.mp4",
        "/stream/incoming/video.mp4",
        "/stream/.hidden/video.mp4",
        "/stream/{id}/.hidden",
        "/stream/{id}x/video.mp4",
        "/media../{id}/original.mp4",
        "/internal/authorise",
        "/internal/../internal/authorise",
        "/-/authorise",
        "/videos/{id}/original.mp4",
        "//stream/{id}/video.mp4",
    ],
)
def test_hostile_paths_lead_nowhere(ours: Server, shelf: Shelf, path: str) -> None:
    headers = {"X-Video": shelf.small, "X-Media-Name": "video.mp4"}

    answer = ours.ask(headers=headers, path=path.format(id=shelf.small))

    assert answer.status in (400, 404)
    assert BYTES[:20] not in answer.body


def _leave(server: Server, path: str, *, rudely: bool) -> None:
    """Ask for a large file, take a little of it, and go: with a RST, or with a FIN."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        if rudely:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.recv(1000)


def _wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 15
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _open_files(pid: int) -> list[str]:
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(os.readlink(entry))  # noqa: PTH115 (a socket's is no path)
        except FileNotFoundError:
            continue
    return found


def test_a_thousand_clients_that_leave_in_the_middle_leave_nothing_open(
    ours: Server, shelf: Shelf
) -> None:
    path = f"/stream/{shelf.large}/video.mp4"
    ours.ask(path=path)
    (worker,) = ours.workers()
    before = len(_open_files(worker))

    for count in range(1000):
        _leave(ours, path, rudely=count % 2 == 0)

    assert _wait_until(lambda: not any(".mp4" in name for name in _open_files(worker)))
    # The pool of threads may have opened a few connections to the stores meanwhile.
    assert _wait_until(lambda: len(_open_files(worker)) <= before + 3 * 8)
    assert ours.workers() == [worker]
    assert ours.ask(path=path).status == 200


def _pause(server: Server, path: str, stack: ExitStack) -> socket.socket:
    """Ask for a large file, and take nothing of it but the first bytes."""
    client = stack.enter_context(socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    client.connect(("127.0.0.1", server.port))
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return client


def test_two_hundred_viewers_who_pause_leave_the_pages_to_others(
    ours: Server, shelf: Shelf
) -> None:
    """The worker has eight threads: a viewer who pauses must not hold one."""
    path = f"/stream/{shelf.large}/video.mp4"
    (worker,) = ours.workers()
    with ExitStack() as stack:
        paused = [_pause(ours, path, stack) for _ in range(200)]
        for client in paused:
            assert client.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"

        for _ in range(20):
            assert ours.ask(path="/login").status == 200
            assert ours.ask(headers={"Range": "bytes=5-9"}).body == BYTES[5:10]

        # Whoever goes on gets the rest, and can ask again on the same connection.
        for client in (paused[0], paused[-1]):
            reader = client.makefile("rb")
            while reader.readline() != b"\r\n":
                pass
            data = reader.read(LARGE)
            assert data[-8:] == struct.pack(">Q", LARGE - 8)
            assert data == shelf.file(shelf.large).read_bytes()
            client.sendall(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert reader.readline() == b"HTTP/1.1 200 OK\r\n"
    assert _wait_until(lambda: not any(".mp4" in name for name in _open_files(worker)))
    assert ours.workers() == [worker]


def test_a_stopping_server_lets_a_slow_viewer_finish(shelf: Shelf, tmp_path: Path) -> None:
    with (
        standalone(tmp_path, video_id=shelf.small, environment=shelf.environment) as server,
        ExitStack() as stack,
    ):
        client = _pause(server, f"/stream/{shelf.large}/video.mp4", stack)
        assert client.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        os.kill(server.pid, signal.SIGTERM)
        _wait_until(lambda: not _answers(server))
        data = b"".join(iter(lambda: client.recv(1 << 20), b""))

    assert data.endswith(shelf.file(shelf.large).read_bytes()[-1000:])


def _answers(server: Server) -> bool:
    try:
        # One that is stopping takes connections still, and no requests.
        return server.ask("HEAD", timeout=1).status == 200
    except OSError:
        return False


def test_a_client_that_takes_nothing_is_let_go_after_five_minutes() -> None:
    """As nginx does; a player that was paused asks again from where it was."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None:
        pytest.skip("this system has no such limit")
    with socket.socket() as connection:
        _bound_stalls(connection)
        assert connection.getsockopt(socket.IPPROTO_TCP, option) == 300_000


def test_a_video_of_which_the_file_is_gone_is_not_there(ours: Server, shelf: Shelf) -> None:
    file = shelf.file(shelf.small)
    aside = file.with_name("aside")
    file.rename(aside)
    try:
        answer = ours.ask()
    finally:
        aside.rename(file)

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.alone
def test_without_the_session_store_nobody_gets_bytes(shelf: Shelf, tmp_path: Path) -> None:
    """Even what everybody may watch: whether that is still so cannot be told in time."""
    closed = shelf.environment | {"REDIS_URL": "redis://127.0.0.1:1/0"}
    with standalone(tmp_path, video_id=shelf.small, environment=closed) as server:
        began = time.monotonic()
        answer = server.ask()

    assert answer.status == 503
    assert answer.headers["Retry-After"]
    assert time.monotonic() - began < 1.5
