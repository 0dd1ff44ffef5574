"""Resumable uploads over the real origin: through nginx under Compose."""

import hashlib
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.media import box, tiny
from tests.system.origin import Origin
from tests.system.people import Person
from tests.system.tus import OCTETS, PATIENCE, Tus, at, checksum, metadata, read_answer, reset
from tests.waiting import wait_until

CHUNK = 16 << 20  # bytes
GROWTH_LIMIT = 32 << 20  # bytes that a process may grow by


@pytest.fixture(scope="module")
def film() -> bytes:
    """Three chunks and a half, no two pieces alike."""
    return tiny() + box(b"free", random.Random(3).randbytes(3 * CHUNK + CHUNK // 2))


@pytest.fixture(scope="module")
def short() -> bytes:
    """Two megabytes."""
    return tiny() + box(b"free", random.Random(4).randbytes(2 << 20))


@pytest.fixture
def tus(alice: Person) -> Tus:
    """Alice's client."""
    return Tus(alice)


def assert_arrived(person: Person, video: str, film: bytes) -> None:
    """Compare what can be watched with what was sent, and make room."""
    answer = person.get(f"{video}/video.mp4")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(film).digest()
    deleted = person.delete(f"/api/videos/{video.removeprefix('/stream/')}")
    assert deleted.status_code == 204


def test_options_tell_what_is_supported(tus: Tus) -> None:
    answer = tus.ask("OPTIONS", "/upload/files")
    assert answer.status == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert "concatenation" in answer.headers["Tus-Extension"]
    assert int(answer.headers["Tus-Max-Size"]) > CHUNK


def test_a_film_arrives_in_chunks(tus: Tus, alice: Person, film: bytes) -> None:
    where = tus.begin(len(film))
    assert where.startswith("/upload/files/")
    for offset in range(0, len(film), CHUNK):
        assert tus.offset(where) == offset
        answer = tus.patch(where, offset, film[offset : offset + CHUNK])
        assert answer.status == 204
        assert int(answer.headers["Upload-Offset"]) == min(offset + CHUNK, len(film))
    assert_arrived(alice, answer.headers["Upload-Video"], film)


def test_a_film_arrives_whole_with_its_creation(tus: Tus, alice: Person, film: bytes) -> None:
    answer = tus.create(len(film), film, metadata(filename="harbour.mp4", title="Harbour"))
    assert answer.status == 201
    assert answer.headers["Upload-Offset"] == str(len(film))
    assert_arrived(alice, answer.headers["Upload-Video"], film)


def test_a_film_arrives_in_chunked_coding(tus: Tus, alice: Person, short: bytes) -> None:
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


def test_a_client_that_knows_only_post_names_its_method(
    tus: Tus, alice: Person, short: bytes
) -> None:
    where = tus.begin(len(short))
    named = {"X-HTTP-Method-Override": "PATCH"}
    answer = tus.ask("POST", where, short, at(0) | named)
    assert answer.status == 204
    assert_arrived(alice, answer.headers["Upload-Video"], short)


def test_a_damaged_chunk_is_dropped_whole(tus: Tus, alice: Person, short: bytes) -> None:
    where = tus.begin(len(short))
    half = len(short) // 2
    assert tus.patch(where, 0, short[:half]).status == 204
    rest = short[half:]
    for algorithm in ("sha1", "sha256"):
        assert tus.patch(where, half, rest[:-1] + b"\0", checksum(rest, algorithm)).status == 460
        assert tus.offset(where) == half
    assert tus.patch(where, half, rest, {"Upload-Checksum": "md5 YQ=="}).status == 400
    answer = tus.patch(where, half, rest, checksum(rest))
    assert answer.status == 204
    assert_arrived(alice, answer.headers["Upload-Video"], short)


def test_parts_sent_side_by_side_become_one_film(tus: Tus, alice: Person, film: bytes) -> None:
    pieces = [film[offset : offset + CHUNK] for offset in range(0, len(film), CHUNK)]

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
    assert_arrived(alice, tus.head(final).headers["Upload-Video"], film)


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


def test_what_is_refused_leaves_everything_as_it_was(tus: Tus, bob: Person, short: bytes) -> None:
    where = tus.begin(len(short))
    assert tus.patch(where, 0, short[:1000]).status == 204
    assert tus.patch(where, 0, short).status == 409
    assert tus.patch(where, 1000, short).status == 413
    assert tus.patch(where, 1000, b"x", {"Content-Type": "text/html"}).status == 415
    assert tus.ask("PATCH", where, b"x", at(1000) | {"Tus-Resumable": "0.2.2"}).status == 412
    other = Tus(bob)
    for method in ("HEAD", "PATCH", "DELETE"):
        headers = at(1000) | {"Content-Type": OCTETS}
        assert other.ask(method, where, b"x" if method == "PATCH" else b"", headers).status == 404
    assert tus.offset(where) == 1000
    assert tus.ask("DELETE", where).status == 204
    assert tus.head(where).status == 404


def test_a_file_that_is_too_large_is_refused_before_its_bytes(tus: Tus) -> None:
    most = int(tus.ask("OPTIONS", "/upload/files").headers["Tus-Max-Size"])
    answer = tus.create(most + 1)
    assert answer.status == 413
    for length in ("-1", "1.5", "", str(2**64)):
        assert tus.ask("POST", "/upload/files", headers={"Upload-Length": length}).status in (
            400,
            413,
        )


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
def warm(tus: Tus, alice: Person, short: bytes) -> None:
    """Every process has done its work once: what it loads for that is not growth."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: tus.create(len(short), short), range(16)))
    for answer in answers:
        alice.delete(f"/api/videos/{answer.headers['Upload-Video'].removeprefix('/stream/')}")


def test_fifty_uploads_at_once_take_no_memory(
    origin: Origin, tus: Tus, alice: Person, warm: None
) -> None:
    film = tiny() + box(b"free", bytes(CHUNK))
    with Watch(origin) as watch, ThreadPoolExecutor(50) as pool:

        def look_twice() -> None:
            seen = watch.looks
            wait_until(
                lambda: watch.looks >= seen + 2, within=PATIENCE, what="two looks at the memory"
            )

        together = threading.Barrier(50, look_twice)
        made = [tus.begin(len(film)) for _ in range(50)]
        videos = list(pool.map(lambda where: send_in_halves(tus, where, film, together), made))
    for video in videos:
        assert alice.delete(f"/api/videos/{video.removeprefix('/stream/')}").status_code == 204
    print({name: f"{size / (1 << 20):.1f} MiB" for name, size in sorted(watch.most.items())})  # noqa: T201 (what it came to)
    assert watch.most
    assert {name: size for name, size in watch.most.items() if size > GROWTH_LIMIT} == {}


def send_in_halves(tus: Tus, where: str, film: bytes, together: threading.Barrier) -> str:
    """Send a film, the second half once everybody has sent the first; return its video."""
    half = len(film) // 2
    with tus.open_patch(where, 0, len(film)) as connection:
        connection.sendall(film[:half])
        together.wait(3 * PATIENCE)
        connection.sendall(film[half:])
        answer = read_answer(connection)
    assert answer.status == 204, answer
    return str(answer.headers["Upload-Video"])
