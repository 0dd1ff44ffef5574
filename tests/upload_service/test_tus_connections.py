"""tus over real connections to a real gunicorn: clients that come back, servers that die."""

import hashlib
import itertools
import os
import random
import re
import signal
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from common.web.auth import SESSION_COOKIE
from db.models import Upload, now
from tests.conftest import ROOT
from tests.media import box, mp4
from tests.upload_service.server import Answer, Connection, Server, chunked
from tests.upload_service.tus_client import OCTETS, checksum
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def video_bytes() -> bytes:
    """Some megabytes of video, no two pieces alike: a byte in the wrong place would show."""
    return mp4() + box(b"free", random.Random(7).randbytes(6 << 20))


_names = iter(range(10_000))


def new_client(server: Server) -> "Client":
    """Return a client of somebody new."""
    return Client(server, server.sign_in(f"tus{os.getpid()}-{next(_names)}"))


@pytest.fixture
def tus(server: Server) -> "Client":
    """A client of somebody new."""
    return new_client(server)


class Client:
    """Speaks tus, a connection per request."""

    def __init__(self, server: Server, token: str) -> None:
        self.server = server
        self.token = token

    def head_of(self, method: str, where: str, length: int | None, **headers: str) -> bytes:
        lines = {
            "Host": "127.0.0.1",
            "Tus-Resumable": "1.0.0",
            "Cookie": f"{SESSION_COOKIE}={self.token}",
            **({"Transfer-Encoding": "chunked"} if length is None else {}),
            **({"Content-Length": str(length)} if length else {}),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"{method} {where} HTTP/1.1\r\n{head}\r\n".encode()

    def ask(self, method: str, where: str, content: bytes = b"", **headers: str) -> Answer:
        with self.server.connect() as connection:
            connection.send(self.head_of(method, where, len(content), **headers) + content)
            return connection.answer(method)

    def begin(self, length: int) -> str:
        answer = self.ask("POST", "/upload/files", Upload_Length=str(length))
        assert answer.status == 201, answer
        return answer.headers["Location"]

    def patch(self, where: str, offset: int, content: bytes, **headers: str) -> Answer:
        given = {"Content_Type": OCTETS, "Upload_Offset": str(offset)} | headers
        return self.ask("PATCH", where, content, **given)

    def offset(self, where: str) -> int:
        answer = self.ask("HEAD", where)
        assert answer.status == 200, answer
        return int(answer.headers["Upload-Offset"])

    def open_patch(self, where: str, offset: int, length: int | None, **headers: str) -> Connection:
        """Send the head of a PATCH, and leave the connection to the caller."""
        given = {"Content_Type": OCTETS, "Upload_Offset": str(offset)} | headers
        connection = self.server.connect()
        connection.send(self.head_of("PATCH", where, length, **given))
        return connection

    def stored(self, where: str) -> Path:
        return self.server.videos_dir / where.rsplit("/", 1)[1] / "original.mp4"

    def incoming(self, where: str) -> Path:
        return self.server.videos_dir / "incoming" / where.rsplit("/", 1)[1]

    def assert_arrived(self, where: str, video_bytes: bytes) -> None:
        stored = self.stored(where).read_bytes()
        assert hashlib.sha256(stored).digest() == hashlib.sha256(video_bytes).digest()


def test_a_video_arrives_in_chunked_coding(tus: Client, video_bytes: bytes) -> None:
    where = tus.begin(len(video_bytes))
    with tus.open_patch(where, 0, None) as connection:
        connection.send(chunked(video_bytes))
        assert connection.answer().status == 204
        # The connection goes on with the next request.
        connection.send(tus.head_of("OPTIONS", where, 0))
        assert connection.answer().status == 204
    tus.assert_arrived(where, video_bytes)


def test_a_connection_takes_one_request_after_another(tus: Client, video_bytes: bytes) -> None:
    where = tus.begin(len(video_bytes))
    with tus.server.connect() as connection:
        for at in range(0, len(video_bytes), 1 << 20):
            piece = video_bytes[at : at + (1 << 20)]
            given = {"Content_Type": OCTETS, "Upload_Offset": str(at)}
            connection.send(tus.head_of("PATCH", where, len(piece), **given) + piece)
            assert connection.answer().status == 204
    tus.assert_arrived(where, video_bytes)


def test_chunks_past_the_length_are_not_stored(tus: Client) -> None:
    where = tus.begin(100_000)
    assert tus.patch(where, 0, bytes(10)).status == 204
    with tus.open_patch(where, 10, None) as connection:
        connection.send(chunked(bytes(200_000)))
        assert connection.answer().status == 413
    assert tus.offset(where) == 10


@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
@pytest.mark.parametrize("coding", ["length", "chunks"])
def test_what_arrived_before_the_connection_broke_is_kept(
    tus: Client, video_bytes: bytes, how: str, coding: str
) -> None:
    where = tus.begin(len(video_bytes))
    length = len(video_bytes) if coding == "length" else None
    connection = tus.open_patch(where, 0, length)
    sent = 3_000_001
    # Chunks hold some bytes of their own.
    connection.send(video_bytes[:sent] if length else chunked(video_bytes)[: sent + 100_000])
    wait_until(lambda: tus.incoming(where).stat().st_size >= sent)
    if how == "reset":
        connection.reset()
    elif how == "half-close":
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.answer().status == 400
    connection.socket.close()
    if length:
        assert tus.offset(where) == sent

    def go_on() -> bool:
        # Of chunks, the last ones that came may still be on their way into the file.
        offset = tus.offset(where)
        assert offset >= sent
        return tus.patch(where, offset, video_bytes[offset:]).status == 204

    wait_until(go_on)
    tus.assert_arrived(where, video_bytes)


def test_bytes_of_a_connection_that_broke_renew_the_upload(tus: Client, video_bytes: bytes) -> None:
    """An upload over a bad line is continued too, though none of its requests ends well."""
    where = tus.begin(len(video_bytes))
    upload_id = where.rsplit("/", 1)[1]
    database = tus.server.database
    soon = now() + timedelta(hours=1)
    change = update(Upload).where(Upload.id == upload_id).values(expires_at=soon)
    database.write(lambda session: session.execute(change))
    with tus.open_patch(where, 0, len(video_bytes)) as connection:
        connection.send(video_bytes[:100_000])
        connection.reset()

    def renewed() -> bool:
        row = database.read(lambda session: session.get_one(Upload, upload_id))
        return row.expires_at is not None and row.expires_at > now() + timedelta(days=6)

    wait_until(renewed, what="a later expiry")


@pytest.mark.on_mysql
def test_a_client_that_comes_back_takes_over_from_its_dead_request(
    tus: Client, video_bytes: bytes
) -> None:
    """The newcomer waits two seconds at most, and the dead request would hold on for a minute."""
    where = tus.begin(len(video_bytes))
    dead = tus.open_patch(where, 0, len(video_bytes))
    dead.send(video_bytes[:100_001])
    wait_until(lambda: tus.incoming(where).stat().st_size == 100_001)
    offset = tus.offset(where)
    assert offset == 100_001
    assert tus.patch(where, offset, video_bytes[offset:]).status == 204
    tus.assert_arrived(where, video_bytes)
    dead.socket.close()


def test_a_burst_is_stored_while_its_client_pauses(tus: Client, video_bytes: bytes) -> None:
    where = tus.begin(len(video_bytes))
    with tus.open_patch(where, 0, len(video_bytes)) as paused:
        paused.send(video_bytes[: 5 << 20])
        wait_until(lambda: tus.offset(where) == 5 << 20)


@pytest.mark.parametrize("coding", ["length", "chunks"])
def test_twenty_stalled_clients_hold_up_nobody(
    server: Server, tus: Client, video_bytes: bytes, coding: str
) -> None:
    """More than there are native threads, and in chunked coding each within a piece."""
    slow = [new_client(server) for _ in range(4)]
    with ExitStack() as stack:
        for person in slow:
            for _ in range(5):
                where = person.begin(len(video_bytes))
                length = len(video_bytes) if coding == "length" else None
                connection = stack.enter_context(person.open_patch(where, 0, length))
                connection.send(video_bytes[:1] if length else chunked(video_bytes)[:10])
        where = tus.begin(len(video_bytes))
        assert tus.patch(where, 0, video_bytes).status == 204
    tus.assert_arrived(where, video_bytes)


@pytest.mark.parametrize("pause", [0.0, 0.01])
def test_an_upload_can_be_thrown_away_while_its_bytes_come(
    tus: Client, video_bytes: bytes, pause: float
) -> None:
    where = tus.begin(len(video_bytes))
    busy = tus.open_patch(where, 0, len(video_bytes))
    stop = threading.Event()

    def go_on() -> None:
        for at in range(0, len(video_bytes) - 20_000, 20_000):
            try:
                busy.send(video_bytes[at : at + 20_000])
            except OSError:
                return
            if stop.wait(pause):
                return
        stop.wait(10)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        wait_until(lambda: tus.incoming(where).stat().st_size > 0)
        assert tus.ask("DELETE", where).status == 204
        assert not tus.incoming(where).exists()
        assert tus.ask("HEAD", where).status == 404
    finally:
        stop.set()
        thread.join()
        busy.socket.close()


def test_a_request_that_trickles_gives_way_too(tus: Client, video_bytes: bytes) -> None:
    where = tus.begin(len(video_bytes))
    dead = tus.open_patch(where, 0, len(video_bytes))
    stop = threading.Event()

    def trickle() -> None:
        for at in range(1000):
            if stop.wait(0.05):
                return
            try:
                dead.send(video_bytes[at : at + 1])
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        wait_until(lambda: tus.incoming(where).stat().st_size > 3)

        def go_on() -> bool:
            offset = tus.offset(where)
            return tus.patch(where, offset, video_bytes[offset:]).status == 204

        wait_until(go_on)
    finally:
        stop.set()
        thread.join()
        dead.socket.close()
    tus.assert_arrived(where, video_bytes)


def test_a_request_whose_bytes_come_is_not_ended(tus: Client, video_bytes: bytes) -> None:
    where = tus.begin(len(video_bytes))
    busy = tus.open_patch(where, 0, len(video_bytes))
    stop = threading.Event()

    def go_on() -> None:
        at = 0
        while at < len(video_bytes):
            busy.send(video_bytes[at : at + 100_000])
            at += 100_000
            stop.wait(0.05)

    thread = threading.Thread(target=go_on)
    thread.start()
    wait_until(lambda: tus.incoming(where).stat().st_size > 0)
    assert tus.patch(where, 0, video_bytes).status in (409, 423)
    thread.join()
    assert busy.answer().status == 204
    busy.socket.close()
    tus.assert_arrived(where, video_bytes)


@pytest.mark.on_mysql
def test_a_hundred_rounds_of_two_writers_never_interleave(tus: Client) -> None:
    size = 20_000
    where = tus.begin(101 * size)
    expected = b""
    with ThreadPoolExecutor(2) as pool:
        for at in range(0, 100 * size, size):
            pieces = [bytes([at // size % 100 + side]) * size for side in (0, 128)]
            tries = [pool.submit(tus.patch, where, at, piece) for piece in pieces]
            statuses = [one.result().status for one in tries]
            assert sorted(statuses) in ([204, 409], [204, 423]), statuses
            expected += pieces[statuses.index(204)]
    assert tus.incoming(where).read_bytes() == expected


def test_damaged_chunks_leave_no_trace(tus: Client, video_bytes: bytes) -> None:
    where = tus.begin(len(video_bytes))
    dice = random.Random(11)
    at = 0
    while at < len(video_bytes):
        piece = video_bytes[at : at + 700_000]
        given = checksum(piece, dice.choice(["sha1", "sha256"]))
        damaged = bytearray(piece)
        damaged[dice.randrange(len(piece))] ^= 1 << dice.randrange(8)
        assert tus.patch(where, at, bytes(damaged), Upload_Checksum=given).status == 460
        # Cut in the middle, nobody can tell whether the bytes were right: none is kept.
        cut = tus.open_patch(where, at, len(piece), Upload_Checksum=given)
        cut.send(bytes(damaged[: len(piece) // 2]))
        cut.socket.close()
        assert tus.offset(where) == at
        assert tus.patch(where, at, piece, Upload_Checksum=given).status == 204
        at += len(piece)
    tus.assert_arrived(where, video_bytes)


@pytest.mark.parametrize("checked", [False, True])
def test_a_worker_killed_in_the_middle_of_a_write_costs_no_acknowledged_byte(
    tus: Client, video_bytes: bytes, checked: bool
) -> None:
    where = tus.begin(len(video_bytes))
    assert tus.patch(where, 0, video_bytes[:1_000_000]).status == 204
    rest = video_bytes[1_000_000:]
    headers = {"Upload_Checksum": checksum(rest)} if checked else {}
    killed = tus.server.worker()
    assert killed
    with tus.open_patch(where, 1_000_000, len(rest), **headers) as connection:
        connection.send(rest[: 2 << 20])
        if not checked:
            wait_until(lambda: tus.incoming(where).stat().st_size > 1_500_000)
        os.kill(killed, signal.SIGKILL)
    wait_until(lambda: tus.server.worker() not in (None, killed), within=30)
    wait_until(tus.server.answers, within=30)
    offset = tus.offset(where)
    assert offset == 1_000_000 if checked else offset > 1_500_000
    assert tus.patch(where, offset, video_bytes[offset:]).status == 204
    tus.assert_arrived(where, video_bytes)


def test_memory_does_not_grow_with_what_arrives_in_fifty_uploads_at_once(
    tus: Client, video_bytes: bytes
) -> None:
    worker = tus.server.worker()

    def memory(kind: str) -> int:
        text = Path(f"/proc/{worker}/status").read_text(encoding="ascii")
        [kib] = re.findall(rf"{kind}:\s+(\d+) kB", text)
        return int(kib) << 10

    tus.patch(tus.begin(len(video_bytes)), 0, video_bytes)
    people = [new_client(tus.server) for _ in range(10)]
    uploads = [(person, person.begin(len(video_bytes))) for person in people for _ in range(5)]
    before = memory("VmRSS")
    Path(f"/proc/{worker}/clear_refs").write_text("5", encoding="ascii")  # the peak begins here
    with ExitStack() as stack:
        lines = [
            stack.enter_context(person.open_patch(where, 0, len(video_bytes)))
            for person, where in uploads
        ]
        for at in range(0, len(video_bytes), 1 << 20):
            for connection in lines:
                connection.send(video_bytes[at : at + (1 << 20)])
        assert {connection.answer().status for connection in lines} == {204}
    assert memory("VmHWM") - before < 32 << 20
    tus.assert_arrived(uploads[0][1], video_bytes)


def test_the_commands_of_the_documentation_work(
    tus: Client, video_bytes: bytes, tmp_path: Path
) -> None:
    text = (ROOT / "docs" / "uploading.md").read_text(encoding="utf-8")
    section = text.split("## Resumable, with curl")[1].split("##")[0]
    announce, send = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    (tmp_path / "harbour.mp4").write_bytes(video_bytes)
    environ = os.environ | {"url": f"http://127.0.0.1:{tus.server.port}", "token": tus.token}
    script = f"set -eu\n{announce}\n{send}\necho; echo at $upload"
    done = subprocess.run(
        ["bash", "-c", script],
        check=False,
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
    )
    assert " 204 " in done.stdout, (done.stdout, done.stderr)
    tus.assert_arrived(done.stdout.split("at ")[-1].strip(), video_bytes)


@pytest.fixture
def traced(tus: Client, tmp_path: Path) -> Iterator[Path]:
    """The system calls of the service, while a test runs."""
    trace = tmp_path / "trace"
    calls = "trace=write,fdatasync,fsync,sendto,rename,ftruncate,copy_file_range,openat"
    worker = str(tus.server.worker())
    process = subprocess.Popen(
        ["strace", "-f", "-yy", "-qq", "-e", calls, "-o", str(trace), "-p", worker],
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: trace.exists() or process.poll() is not None)
    # It follows once the service makes a call that shows; a refusal is not counted below.
    nowhere = f"/upload/files/{'x' * 22}"
    wait_until(lambda: tus.patch(nowhere, 0, b"x").status == 404 and trace.read_bytes())
    yield trace
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(10)


@pytest.mark.needs_strace
def test_bytes_are_synced_before_they_are_acknowledged(
    tus: Client, traced: Path, video_bytes: bytes
) -> None:
    where = tus.begin(len(video_bytes))
    name = where.rsplit("/", 1)[1]
    size = len(video_bytes) // 2
    for headers in ({}, {"Upload_Checksum": checksum(video_bytes[size:])}):
        at = size if headers else 0
        answer = tus.patch(where, at, video_bytes[at : size if not headers else None], **headers)
        assert answer.status == 204
    lines = traced.read_text(encoding="utf-8", errors="replace").splitlines()

    def positions(pattern: str) -> list[int]:
        return [at for at, line in enumerate(lines) if re.search(pattern, line)]

    answers = positions(r"HTTP/1.1 20[14]")
    assert len(answers) == 3
    folder = positions(r"fsync\(\d+<[^>]*/incoming>")
    assert folder
    assert folder[0] < answers[0]
    for before, answer in itertools.pairwise(answers):
        here = rf"<[^>]*/incoming/{name}>"
        written = [at for at in positions(rf"(write|copy_file_range)\(.*{here}") if before < at]
        synced = positions(rf"fdatasync\(\d+{here}")
        last = max(at for at in written if at < answer)
        assert any(last < at < answer for at in synced)


@pytest.mark.needs_strace
def test_a_video_is_in_its_place_before_its_sender_is_told(
    tus: Client, traced: Path, video_bytes: bytes
) -> None:
    where = tus.begin(len(video_bytes))
    name = where.rsplit("/", 1)[1]
    assert tus.patch(where, 0, video_bytes).status == 204
    wait_until(lambda: "HTTP/1.1 204" in traced.read_text(encoding="utf-8", errors="replace"))
    lines = traced.read_text(encoding="utf-8", errors="replace").splitlines()

    def position(pattern: str) -> int:
        [first, *_] = [at for at, line in enumerate(lines) if re.search(pattern, line)]
        return first

    volume = re.escape(str(tus.server.videos_dir))
    renamed = position(rf"rename\(.*{volume}/incoming/{name}.*{name}/original\.mp4")
    answered = position(r"HTTP/1.1 204")
    for folder in (f"{volume}/{name}", f"{volume}/incoming", volume):
        synced = [at for at, line in enumerate(lines) if re.search(rf"fsync\(\d+<{folder}>", line)]
        assert any(renamed < at < answered for at in synced), folder
    assert position(rf"fdatasync\(\d+<{volume}/incoming/{name}>") < renamed


def test_fifty_uploads_that_end_at_once_are_all_stored(server: Server) -> None:
    """On SQLite too, where one writer at a time is let in, and in one worker."""
    video_bytes = mp4()
    clients = [new_client(server) for _ in range(50)]

    def upload(client: Client) -> Answer:
        return client.ask(
            "POST",
            "/upload/files",
            video_bytes,
            Upload_Length=str(len(video_bytes)),
            Content_Type=OCTETS,
        )

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(upload, clients))
    assert [answer.status for answer in answers] == [201] * 50
    assert all(answer.headers["Upload-Offset"] == str(len(video_bytes)) for answer in answers)


def test_two_hundred_requests_at_once_are_all_answered(server: Server) -> None:
    """Readers and writers of the database, in one worker."""
    clients = [new_client(server) for _ in range(20)]

    def request(number: int) -> int:
        client = clients[number % len(clients)]
        if number % 2:
            return client.ask("GET", "/api/uploads").status
        return client.ask("POST", "/upload/files", Upload_Length="1000").status

    with ThreadPoolExecutor(200) as pool:
        statuses = Counter(pool.map(request, range(200)))
    assert statuses == {200: 100, 201: 100}
