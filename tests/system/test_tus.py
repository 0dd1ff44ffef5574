"""Resumable uploads over the real origin: through nginx under Compose."""

import hashlib
import random
import secrets
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.media import box, one_second
from tests.system.deployment import Origin
from tests.system.http_client import Person, sign_up
from tests.system.tus import PATIENCE, Tus, at, metadata, read_answer, reset
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("without_processing")

CHUNK = 4 << 20  # bytes
GROWTH_LIMIT = 32 << 20  # bytes that a process may grow by


@pytest.fixture(scope="module")
def video_bytes() -> bytes:
    """Three chunks and a half, no two pieces alike."""
    return one_second() + box(b"free", random.Random(3).randbytes(3 * CHUNK + CHUNK // 2))


@pytest.fixture(scope="module")
def short() -> bytes:
    """Two megabytes."""
    return one_second() + box(b"free", random.Random(4).randbytes(2 << 20))


@pytest.fixture
def tus(alice: Person) -> Tus:
    """Alice's client."""
    return Tus(alice)


def assert_arrived(person: Person, video: str, video_bytes: bytes) -> None:
    """Compare what can be watched with what was sent, and make room."""
    answer = person.get(f"{video}/video.mp4")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(video_bytes).digest()
    deleted = person.delete(f"/api/videos/{video.removeprefix('/stream/')}?permanently=1")
    assert deleted.status_code == 204


def test_a_video_arrives_in_chunks(tus: Tus, alice: Person, video_bytes: bytes) -> None:
    where = tus.begin(len(video_bytes))
    assert where.startswith("/upload/files/")
    for offset in range(0, len(video_bytes), CHUNK):
        assert tus.offset(where) == offset
        answer = tus.patch(where, offset, video_bytes[offset : offset + CHUNK])
        assert answer.status == 204
        assert int(answer.headers["Upload-Offset"]) == min(offset + CHUNK, len(video_bytes))
    assert_arrived(alice, answer.headers["Upload-Video"], video_bytes)


def test_a_video_arrives_whole_with_its_creation(
    tus: Tus, alice: Person, video_bytes: bytes
) -> None:
    answer = tus.create(
        len(video_bytes), video_bytes, metadata(filename="harbour.mp4", title="Harbour")
    )
    assert answer.status == 201
    assert answer.headers["Upload-Offset"] == str(len(video_bytes))
    assert_arrived(alice, answer.headers["Upload-Video"], video_bytes)


def test_what_is_said_before_the_last_byte_holds_from_then_on(
    tus: Tus, alice: Person, bob: Person, short: bytes
) -> None:
    made = alice.post("/api/collections", json={"title": "Holiday"}).json()
    where = tus.begin(len(short))
    upload = where.replace("/upload/files", "/api/uploads")
    said = {
        "title": "Night train",
        "collections": [made["id"]],
        "grants": [{"user": bob.get("/api/session").json()["name"], "level": "download"}],
    }
    assert alice.patch(upload, json=said).status_code == 200
    page = where.replace("/upload/files", "/stream")
    assert bob.get(page).status_code == 404
    assert tus.patch(where, 0, short).headers["Upload-Video"] == page
    assert bob.get(page).status_code == 200
    assert bob.get(f"{page}/download").content == short
    collection = alice.get(f"/api/collections/{made['id']}").json()
    assert [video["title"] for video in collection["videos"]] == ["Night train"]
    assert_arrived(alice, page, short)


def test_a_video_arrives_in_chunked_coding(tus: Tus, alice: Person, short: bytes) -> None:
    where = tus.begin(len(short))
    with tus.connect() as connection:
        head = tus.head_of("PATCH", where, 0, at(0))
        coded = head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        pieces = [short[n : n + 70_000] for n in range(0, len(short), 70_000)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        connection.sendall(coded + body + b"0\r\n\r\n")
        answer = read_answer(connection)
    assert answer.status == 204
    assert_arrived(alice, answer.headers["Upload-Video"], short)


def test_parts_sent_side_by_side_become_one_video(
    tus: Tus, alice: Person, video_bytes: bytes
) -> None:
    pieces = [video_bytes[offset : offset + CHUNK] for offset in range(0, len(video_bytes), CHUNK)]

    def send(piece: bytes) -> str:
        answer = tus.create(len(piece), piece, {"Upload-Concat": "partial"})
        assert answer.status == 201
        return str(answer.headers["Location"])

    with ThreadPoolExecutor(len(pieces)) as pool:
        parts = list(pool.map(send, pieces))
    joined = {"Upload-Concat": f"final;{' '.join(parts)}"}
    answer = tus.ask("POST", "/upload/files", headers=joined)
    assert answer.status == 201
    final = answer.headers["Location"]

    def is_video() -> bool:
        return tus.head(final).headers["Upload-Video"] is not None

    wait_until(is_video, within=30, what="the parts put together")
    assert_arrived(alice, tus.head(final).headers["Upload-Video"], video_bytes)


@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
def test_what_arrived_before_the_connection_broke_is_kept(
    origin: Origin, tus: Tus, alice: Person, short: bytes, how: str
) -> None:
    where = tus.begin(len(short))
    sent = 1_234_567
    with tus.open_patch(where, 0, len(short)) as connection:
        connection.sendall(short[:sent])
        wait_until(lambda: tus.offset(where) == sent, what="what was sent")
        if how == "reset":
            reset(connection)
        elif how == "half-close":
            connection.shutdown(socket.SHUT_WR)
    assert tus.offset(where) == sent

    def goes_on() -> bool:
        answer = tus.patch(where, sent, short[sent:])
        assert answer.status in (204, 423), answer
        return answer.status == 204

    wait_until(goes_on, what="the upload free again")
    assert_arrived(alice, tus.head(where).headers["Upload-Video"], short)


def test_a_client_that_comes_back_takes_over_from_its_silent_request(
    tus: Tus, alice: Person, short: bytes
) -> None:
    where = tus.begin(len(short))
    with tus.open_patch(where, 0, len(short)) as silent:
        silent.sendall(short[:100_001])
        wait_until(lambda: tus.offset(where) == 100_001, what="what was sent")
        answer = tus.patch(where, 100_001, short[100_001:])
        assert answer.status == 204
    assert_arrived(alice, answer.headers["Upload-Video"], short)


class Watch:
    """Notes by how much the memory of each process that receives uploads has grown at most."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._before = origin.upload_memory()
        self.most: dict[str, int] = {}
        self.looks = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._done.wait(0.2):
            for name, size in self._origin.upload_memory().items():
                grown = size - self._before.get(name, size)
                self.most[name] = max(self.most.get(name, 0), grown)
            self.looks += 1

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()


@pytest.fixture
def many(origin: Origin, alice: Person, short: bytes) -> Iterator[list[Person]]:
    """As many people as fifty uploads at once need, each of whom has uploaded something.

    So every process has done its work once: what it loads for that is not growth.
    """
    with ExitStack() as stack:
        people = [
            stack.enter_context(sign_up(origin.url, f"uploader{number}-{secrets.token_hex(3)}"))
            for number in range(10)
        ]
        for person in people * 2:
            video = Tus(person).create(len(short), short).headers["Upload-Video"]
            person.delete(f"/api/videos/{video.removeprefix('/stream/')}?permanently=1")
        yield people


@pytest.mark.compose_only  # the service alone is looked at in tests/upload_service
def test_fifty_uploads_at_once_take_no_memory(origin: Origin, many: list[Person]) -> None:
    video_bytes = one_second() + box(b"free", bytes(CHUNK))
    with Watch(origin) as watch, ThreadPoolExecutor(50) as pool:

        def look_twice() -> None:
            seen = watch.looks
            wait_until(
                lambda: watch.looks >= seen + 2, within=PATIENCE, what="two looks at the memory"
            )

        together = threading.Barrier(50, look_twice)
        made = [(person, Tus(person).begin(len(video_bytes))) for person in many for _ in range(5)]
        videos = list(
            pool.map(lambda one: send_in_halves(Tus(one[0]), one[1], video_bytes, together), made)
        )
    for (person, _), video in zip(made, videos, strict=True):
        assert (
            person.delete(f"/api/videos/{video.removeprefix('/stream/')}?permanently=1").status_code
            == 204
        )
    print({name: f"{size / (1 << 20):.1f} MiB" for name, size in sorted(watch.most.items())})  # noqa: T201 (what it came to)
    assert watch.most
    assert {name: size for name, size in watch.most.items() if size > GROWTH_LIMIT} == {}


def send_in_halves(tus: Tus, where: str, video_bytes: bytes, together: threading.Barrier) -> str:
    """Send a video, the second half once everybody has sent the first; return its video."""
    half = len(video_bytes) // 2
    with tus.open_patch(where, 0, len(video_bytes)) as connection:
        connection.sendall(video_bytes[:half])
        together.wait(3 * PATIENCE)
        connection.sendall(video_bytes[half:])
        answer = read_answer(connection)
    assert answer.status == 204, answer
    return str(answer.headers["Upload-Video"])
