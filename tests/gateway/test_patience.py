"""Readers who take their time, and a gateway that is told to read its configuration again."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.waiting import wait_until

from .harness import ALICE, BYTES, COOKIE, MEDIA, VIDEO, Gateway, allow_only, running

pytestmark = pytest.mark.needs_nginx

LARGE = "L" * 22
SIZE = 16 << 20  # bytes; more than the buffers of a connection hold
READERS = 300


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that knows a small and a large video of Alice's."""
    with running(tmp_path_factory.mktemp("patient")) as gateway:
        gateway.put_video(VIDEO)
        gateway.put_video(LARGE, os.urandom(SIZE))
        gateway.streaming.reply = allow_only(ALICE)
        yield gateway


def slow_reader(gateway: Gateway, stack: ExitStack) -> socket.socket:
    """Ask for the large video, and take nothing of it yet."""
    client = stack.enter_context(socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    client.connect(("127.0.0.1", gateway.ports[0]))
    path = f"/stream/{LARGE}/video.mp4"
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {COOKIE}={ALICE}\r\n"
    client.sendall(f"{request}Connection: close\r\n\r\n".encode())
    return client


def memory(pids: list[int]) -> int:
    """Return the memory of processes in bytes, what they share divided among them."""
    lines = [
        line
        for pid in pids
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    ]
    return sum(int(line.split()[1]) << 10 for line in lines)


def test_slow_readers_cost_others_nothing_and_little_memory(patient: Gateway) -> None:
    patient.ask(MEDIA, token=ALICE)
    before = memory(patient.processes())
    with ExitStack() as stack:
        readers = [slow_reader(patient, stack) for _ in range(READERS)]
        for _ in range(3):
            for reader in readers:
                assert reader.recv(1000)
            assert patient.ask(MEDIA, token=ALICE).body == BYTES
            assert patient.ask("/login").status == 200

        assert memory(patient.processes()) - before < READERS * (100 << 10)
    assert "worker_connections" not in patient.errors()


def test_a_reload_lets_answers_under_way_finish(patient: Gateway) -> None:
    with ExitStack() as stack:
        reader = slow_reader(patient, stack)
        first = reader.recv(12, socket.MSG_WAITALL)
        workers = patient.processes()[1:]

        patient.reload()

        wait_until(
            lambda: set(patient.processes()[1:]) - set(workers), within=10, what="new workers"
        )
        assert patient.ask("/login").status == 200
        whole = first + b"".join(iter(lambda: reader.recv(1 << 20), b""))
    assert whole.endswith((patient.videos / LARGE / "original.mp4").read_bytes())
