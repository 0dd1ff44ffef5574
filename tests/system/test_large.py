"""A large file: flat memory on the way in, no reading from the start on the way out.

On the Compose stack it has two gibibytes, more than a signed number of 32 bits can count.
"""

import hashlib
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.deployment import Origin
from tests.system.http_client import Person

pytestmark = pytest.mark.needs_ffmpeg

SIZE = (2 << 30) if os.environ.get("STACK") == "compose" else (96 << 20)  # bytes
GROWTH_LIMIT = 40 << 20  # bytes, per process


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, video_file: Path) -> Path:
    """A playable video followed by a large box that players skip; a hole on the disk."""
    path = tmp_path_factory.mktemp("large") / "large.mp4"
    start = video_file.read_bytes()
    with path.open("wb") as file:
        file.write(start)
        file.write((1).to_bytes(4, "big") + b"free" + (16 + SIZE).to_bytes(8, "big"))
        file.seek(SIZE - 8, 1)
        file.write(b"the end.")
    return path


class Multipart:
    """The form as a browser sends it: its length is known, and the file is read as it goes."""

    def __init__(self, path: Path) -> None:
        self.boundary = secrets.token_hex(16)
        fields = {"submission": secrets.token_hex(11), "title": "A large file"}
        head = "".join(
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        disposition = 'Content-Disposition: form-data; name="file"; filename="large.mp4"'
        head += f"--{self.boundary}\r\n{disposition}\r\nContent-Type: video/mp4\r\n\r\n"
        self._head, self._tail = head.encode(), f"\r\n--{self.boundary}--\r\n".encode()
        self._path = path

    def __len__(self) -> int:
        return len(self._head) + self._path.stat().st_size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        with self._path.open("rb") as file:
            while chunk := file.read(1 << 20):
                yield chunk
        yield self._tail


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture(scope="module")
def growth(origin: Origin, cast: dict[str, Person], large: Path) -> dict[str, object]:
    """Upload the file, and note the most that each part's memory grew meanwhile."""
    before = origin.memory()
    most: dict[str, int] = {}
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            for name, size in origin.memory().items():
                most[name] = max(most.get(name, 0), size - before.get(name, size))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        form = Multipart(large)
        answer = cast["alice"].post(
            "/upload",
            data=form,
            headers={
                "Content-Type": f"multipart/form-data; boundary={form.boundary}",
                "Content-Length": str(len(form)),
            },
            timeout=300,
        )
    finally:
        done.set()
        watcher.join()
    assert answer.status_code == 303, answer.text
    return {"video": answer.headers["Location"].removeprefix("/stream/"), "most": most}


def test_memory_stays_flat(growth: dict[str, dict[str, int]]) -> None:
    assert growth["most"]
    assert {name: size for name, size in growth["most"].items() if size > GROWTH_LIMIT} == {}


def test_the_bytes_are_the_same(alice: Person, growth: dict[str, str], large: Path) -> None:
    path = f"/stream/{growth['video']}/video.mp4"
    received = hashlib.sha256()
    with alice.get(path, stream=True, timeout=300) as answer:
        for chunk in answer.iter_content(1 << 20):
            received.update(chunk)
    assert received.hexdigest() == digest(large)


def test_a_range_at_the_end_reads_no_more_than_one_at_the_start(
    origin: Origin, alice: Person, growth: dict[str, str], large: Path
) -> None:
    path = f"/stream/{growth['video']}/video.mp4"
    size = large.stat().st_size
    before = origin.bytes_read()
    answer = alice.get(path, headers={"Range": f"bytes={size - 8}-"})
    assert answer.status_code == 206
    assert answer.content == b"the end."
    # Of a film in the object store, the gateway fetches one slice of 1 MiB, keeps it, and reads it.
    assert origin.bytes_read() - before < 4 << 20
