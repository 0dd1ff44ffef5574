"""Clients that read slowly, or leave in the middle of a file."""

import os
import signal
import socket
import struct
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fake_service import Reply, Seen
from tests.standalone.harness import BYTES, MEDIA, VIDEO, Front, grant, raise_file_limit
from tests.waiting import wait_until

LARGE = array("Q", range(0, 8 << 20, 8)).tobytes()  # every place differs
LARGE_MEDIA = f"/stream/{VIDEO}/hls/large.mp4"


@pytest.fixture
def large(front: Front) -> Front:
    """The front server with a file of 8 MiB, more than the buffers of a connection hold."""
    put_large(front)
    return front


def put_large(front: Front) -> None:
    """Give the video a large file."""
    file = front.videos / VIDEO / "hls" / "large.mp4"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(LARGE)

    def reply(seen: Seen) -> Reply:
        if seen.headers["X-Media-Name"] == "hls/large.mp4":
            return Reply(204, {"X-Media-Path": f"{VIDEO}/hls/large.mp4"})
        return grant(seen)

    front.streaming.reply = reply


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Connections that are closed after the test."""
    raise_file_limit(4096)
    with ExitStack() as made:
        yield made


def pause(front: Front, stack: ExitStack) -> socket.socket:
    """Ask for the large file, and take nothing of it but the first bytes."""
    client = stack.enter_context(socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    client.connect(("127.0.0.1", front.ports[0]))
    client.sendall(f"GET {LARGE_MEDIA} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert client.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
    return client


def read_rest(client: socket.socket) -> bytes:
    """Read an answer of which the first bytes have been taken."""
    with client.makefile("rb") as reader:
        while reader.readline() != b"\r\n":
            pass
        return reader.read(len(LARGE))


def open_videos(front: Front) -> int:
    """Return how many files of videos Caddy has open."""
    count = 0
    for entry in Path(f"/proc/{front.process.pid}/fd").iterdir():
        try:
            count += os.readlink(entry).endswith(".mp4")  # noqa: PTH115 (a socket's is no path)
        except FileNotFoundError:
            continue
    return count


def test_two_hundred_viewers_who_pause_leave_the_site_to_others(
    large: Front, stack: ExitStack
) -> None:
    paused = [pause(large, stack) for _ in range(200)]

    for _ in range(20):
        assert large.ask("/login", timeout=2).status == 200
        assert large.ask(headers={"Range": "bytes=5-9"}, timeout=2).body == BYTES[5:10]

    # Whoever goes on gets the rest.
    for client in (paused[0], paused[-1]):
        assert read_rest(client) == LARGE


def test_two_hundred_clients_that_leave_in_the_middle_leave_nothing_open(large: Front) -> None:
    for count in range(200):
        with socket.create_connection(("127.0.0.1", large.ports[0]), timeout=10) as client:
            if count % 2:  # leave with a RST instead of a FIN
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(f"GET {LARGE_MEDIA} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert client.recv(1000)

    wait_until(lambda: open_videos(large) == 0, what="the end of all answers")
    assert large.ask(MEDIA).body == BYTES


def test_ranges_of_a_large_file_are_of_the_right_place(large: Front) -> None:
    size = len(LARGE)
    for first, count in ((0, 8), (size - 8, 8), (5 << 20, 2 << 20), (12_345 * 8, 100_000)):
        answer = large.ask(LARGE_MEDIA, {"Range": f"bytes={first}-{first + count - 1}"})

        assert answer.status == 206
        assert answer.body == LARGE[first : first + count]


def test_a_stopping_server_lets_a_slow_viewer_finish(tmp_path: Path, stack: ExitStack) -> None:
    front = Front(tmp_path)
    try:
        put_large(front)
        client = pause(front, stack)
        front.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not front.is_listening(), what="the end of listening")

        assert read_rest(client) == LARGE
        assert front.process.wait(10) == 0
    finally:
        front.close()
