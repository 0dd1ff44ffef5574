"""What breaks costs a retry, and nothing else."""

import socket
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.system.deployment import FAR, Compose, Origin, Standalone, answers
from tests.system.http_client import Person
from tests.waiting import wait_until

pytestmark = [pytest.mark.needs_ffmpeg, pytest.mark.usefixtures("without_processing")]


class SlowUpload:
    """A form upload that stands still after its first half until it is told to go on."""

    def __init__(self, origin: Origin, person: Person, video_file: Path) -> None:
        boundary = "b" * 32
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="submission"\r\n\r\n'
            f"{video_file.stat().st_ino:022d}\r\n"
            f'--{boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\nSlow\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="s.mp4"\r\n\r\n'
        )
        content = video_file.read_bytes()
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        self._rest = body[len(body) // 2 :]
        where = urlsplit(origin.url)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.cookies)
        self.connection = socket.create_connection((where.hostname, where.port), timeout=40)
        self.connection.sendall(
            (
                f"POST /upload HTTP/1.1\r\nHost: {where.netloc}\r\nCookie: {cookies}\r\n"
                f"Content-Type: multipart/form-data; boundary={boundary}\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            ).encode()
            + body[: len(body) // 2]
        )

    def finish(self) -> bytes:
        """Send the rest, and return the answer's first line."""
        self.connection.sendall(self._rest)
        answer = b""
        while b"\r\n" not in answer and (chunk := self.connection.recv(65536)):
            answer += chunk
        return answer.partition(b"\r\n")[0]

    def __enter__(self) -> "SlowUpload":
        return self

    def __exit__(self, *_error: object) -> None:
        self.connection.close()


def test_a_killed_upload_service_leaves_no_video_and_no_file(
    origin: Origin, alice: Person, video_file: Path
) -> None:
    before = alice.video_ids()
    with SlowUpload(origin, alice, video_file):
        wait_until(lambda: origin.incoming() != [], within=10, what="the upload's file")
        origin.kill_uploads()
    wait_until(lambda: origin.incoming() == [], within=30, what="the clean-up")
    wait_until(lambda: answers(origin.url), within=10, what="service again")
    wait_until(
        lambda: alice.get("/upload").status_code == 200, within=10, what="the upload page again"
    )
    assert alice.video_ids() == before


def test_an_upload_whose_client_leaves_leaves_nothing(
    origin: Origin, alice: Person, video_file: Path
) -> None:
    before = alice.video_ids()
    with SlowUpload(origin, alice, video_file):
        wait_until(lambda: origin.incoming() != [], within=10, what="the upload's file")
    wait_until(lambda: origin.incoming() == [], within=10, what="the removal")
    assert alice.video_ids() == before


def stop_under_an_upload(origin: Origin, alice: Person, video_file: Path) -> None:
    """Stop it while an upload is under way, which is taken."""
    with SlowUpload(origin, alice, video_file) as upload:
        wait_until(lambda: origin.incoming() != [], within=10, what="the upload's file")
        stopping = threading.Thread(target=origin.stop)
        stopping.start()
        wait_until(lambda: not answers(origin.url), within=20, what="the closed door")
        assert b"303" in upload.finish()
        stopping.join()


def assert_is_there(alice: Person, video_file: Path) -> None:
    """Look for the video that it became."""
    listed = alice.get("/api/videos").json()["videos"]
    [video] = [video for video in listed if video["title"] == "Slow"]
    answer = alice.get(f"/stream/{video['id']}/video.mp4")
    assert answer.content == video_file.read_bytes()


@pytest.mark.compose_only
def test_stopping_lets_an_upload_under_way_finish_and_a_start_finds_everything(
    origin: Origin, alice: Person, video_file: Path
) -> None:
    stop_under_an_upload(origin, alice, video_file)
    origin.start()
    assert_is_there(alice, video_file)


def holders(origin: Standalone) -> dict[str, str | None]:
    """Return who does each duty."""
    with closing(sqlite3.connect(origin.data_dir / "matinee.db", timeout=10)) as database:
        return dict(database.execute("SELECT name, holder FROM leases"))


@pytest.mark.standalone_only
def test_stopping_lets_an_upload_finish_and_gives_up_duties_that_a_start_takes_from_a_killed_one(
    origin: Standalone, alice: Person, video_file: Path
) -> None:
    duties = {"janitor", "restore masters"}
    wait_until(lambda: holders(origin).keys() == duties, within=20, what="both duties")
    stop_under_an_upload(origin, alice, video_file)
    assert holders(origin) == dict.fromkeys(duties)
    origin.change_row(f"UPDATE leases SET holder = 'killed', leased_until = '{FAR}'")
    origin.start()
    assert_is_there(alice, video_file)
    wait_until(
        lambda: not {None, "killed"} & set(holders(origin).values()),
        within=20,
        what="both duties",
    )


def status(person: Person, path: str) -> int:
    try:
        return person.get(path, timeout=5).status_code
    except requests.RequestException:
        return 0


def test_without_the_session_store_the_answer_is_no_and_service_comes_back(
    origin: Origin, alice: Person, video_file: Path
) -> None:
    video = alice.upload(video_file)
    media = f"/stream/{video}/video.mp4"
    assert status(alice, media) == 200
    with origin.without_session_store():
        wait_until(lambda: status(alice, media) == 503, within=5, what="the refusal of media")
        for path in ("/stream", "/account", "/upload", "/api/videos", media):
            answer = alice.get(path, timeout=10)
            assert answer.status_code == 503, path
            assert answer.headers["Retry-After"]
    wait_until(lambda: status(alice, media) == 200, within=10, what="media again, signed in still")


@pytest.mark.compose_only
def test_when_redis_is_killed_no_byte_is_granted_and_nothing_is_restarted(
    origin: Compose, alice: Person, video_file: Path
) -> None:
    """Its name goes with its container, and looking it up would take longer than anybody waits."""
    media = f"/stream/{alice.upload(video_file)}/video.mp4"
    assert status(alice, media) == 200
    streaming = origin.container("streaming")
    origin.compose("kill", "redis")
    try:
        wait_until(lambda: status(alice, media) == 503, within=3, what="the refusal of media")
        answers_since = [alice.get(media, timeout=5) for _ in range(10)]
        assert {answer.status_code for answer in answers_since} == {503}
        assert max(answer.elapsed.total_seconds() for answer in answers_since) < 1.5
    finally:
        origin.compose("start", "redis")
    wait_until(lambda: status(alice, media) == 200, within=5, what="media again, signed in still")
    assert origin.container("streaming") == streaming


def wait_for_others(origin: Standalone, parts: dict[str, set[int]]) -> None:
    """Return once other processes than those before do the work of killed parts.

    :param parts: what their command lines hold, and the ids of their processes before.
    """

    def are_there() -> bool:
        now = origin.children()
        return all(
            any(part in command and pid not in before for pid, command in now.items())
            for part, before in parts.items()
        )

    wait_until(are_there, what=f"others for {', '.join(parts)}")


@pytest.mark.standalone_only
def test_when_the_session_store_is_killed_it_is_back_with_everybody_signed_in(
    origin: Standalone, alice: Person, video_file: Path
) -> None:
    media = f"/stream/{alice.upload(video_file)}/video.mp4"
    assert status(alice, media) == 200
    killed = {"valkey-server": origin.kill("valkey-server")}
    wait_for_others(origin, killed)
    wait_until(lambda: status(alice, media) == 200, within=5, what="media again")


@pytest.mark.compose_only
def test_without_the_database_pages_say_so_within_two_seconds(
    origin: Compose, alice: Person
) -> None:
    origin.compose("stop", "mysql")
    try:
        for path in ("/stream", "/account", "/api/videos"):
            answer = alice.get(path, timeout=10)
            assert answer.status_code == 503, path
            assert answer.elapsed.total_seconds() < 4, path
    finally:
        origin.compose("start", "mysql")
        wait_until(lambda: status(alice, "/stream") == 200, within=60, what="the library again")


@pytest.mark.standalone_only
def test_all_parts_that_are_killed_are_back_within_ten_seconds(
    origin: Standalone, alice: Person
) -> None:
    parts = (
        "auth_service.app",
        "upload_service.app",
        "streaming_service.app",
        "upload_service.janitor",
        "caddy run",
        "standalone.logfile",
    )
    killed = {part: origin.kill(part) for part in parts}
    wait_for_others(origin, killed)
    for path in ("/account", "/upload", "/stream"):
        wait_until(lambda path=path: status(alice, path) == 200, what=f"{path} again")


@pytest.mark.standalone_only
def test_a_second_one_with_the_same_data_is_refused(origin: Standalone) -> None:
    second = Standalone(origin.data_dir, [1, 2, 3])
    with pytest.raises(AssertionError, match="did not start"):
        second.start()


@pytest.mark.standalone_only
def test_an_administrator_is_made_by_a_command(origin: Standalone, alice: Person) -> None:
    done = origin.command("admin", "create-admin", "Operator", given="a long enough password\n")
    assert done.returncode == 0, done.stderr
    assert "Operator" in alice.get("/admin/users?q=operator").text
