"""The upload form: what it takes, what it refuses, and what it leaves behind."""

import errno
import hashlib
import io
import re
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from common.ids import new_id
from common.storage import IncomingStore, StorageFull, VideoStore, file_io
from common.stores import Stores
from db.engine import Database
from db.models import Role, User, Visibility
from tests.conftest import Client, Site
from tests.media import FTYP_BRANDS, box
from tests.upload_service.conftest import Rows, add_user, files_in, sign_in
from tests.upload_service.forms import CONTENT_TYPE, file_part, form_body, send, text_part
from upload_service.receive.limit import TooManyAtOnce


def nothing_is_left(videos_dir: Path, rows: Rows) -> bool:
    return (files_in(videos_dir), rows.uploads(), rows.videos()) == ([], [], [])


def error_of(answer: TestResponse) -> str:
    sentence: str = answer.get_json()["error"]
    return sentence


@pytest.mark.parametrize(
    ("given", "kept"),
    [("C:\\\\videos\\\\Harbour.mp4", "Harbour.mp4"), ("a" * 300 + ".mp4", "a" * 255)],
)
def test_the_files_name_is_kept_for_downloads(
    alice: Client, rows: Rows, video_bytes: bytes, given: str, kept: str
) -> None:
    assert send(alice, file_part(video_bytes, given)).status_code == 201
    assert [video.file_name for video in rows.videos()] == [kept]


def test_a_video_becomes_a_private_video_of_its_owner(
    alice: Client, videos_dir: Path, rows: Rows, video_bytes: bytes
) -> None:
    answer = send(alice, text_part("title", "Harbour"), file_part(video_bytes), json=False)
    (video,) = rows.videos()
    assert (answer.status_code, answer.location) == (303, f"/stream/{video.id}")
    assert (video.title, video.visibility, video.size) == (
        "Harbour",
        Visibility.PRIVATE,
        len(video_bytes),
    )
    assert (video.duration_ms, video.width, video.height) == (2000, 640, 360)
    assert video.owner_id is not None
    assert rows.uploads() == []


def test_the_bytes_are_stored_as_they_came(
    alice: Client, videos_dir: Path, video_bytes: bytes
) -> None:
    noise = b"\r\n--" + CONTENT_TYPE.encode() + b"\r\n" * 300_000
    content = video_bytes + box(b"free", noise, bytes(range(256)) * 9000)
    video_id = send(alice, file_part(content)).get_json()["id"]
    stored = (videos_dir / video_id / "original.mp4").read_bytes()
    assert hashlib.sha256(stored).digest() == hashlib.sha256(content).digest()
    assert files_in(videos_dir) == [f"{video_id}/original.mp4"]


def test_a_script_gets_the_video_as_json(
    alice: Client, videos_dir: Path, video_bytes: bytes
) -> None:
    answer = send(alice, text_part("title", "Harbour"), file_part(video_bytes))
    assert answer.status_code == 201
    body = answer.get_json()
    assert body == {
        "id": body["id"],
        "url": f"/stream/{body['id']}",
        "title": "Harbour",
        "size": len(video_bytes),
        "sha256": hashlib.sha256(video_bytes).hexdigest(),
    }


def test_a_title_may_follow_the_file(alice: Client, videos_dir: Path, video_bytes: bytes) -> None:
    answer = send(alice, file_part(video_bytes), text_part("title", "Harbour"))
    assert answer.get_json()["title"] == "Harbour"


def test_without_a_title_the_file_gives_it(
    alice: Client, videos_dir: Path, video_bytes: bytes
) -> None:
    answer = send(alice, text_part("title", "  "), file_part(video_bytes, "Our harbour.mp4"))
    assert answer.get_json()["title"] == "Our harbour"


@pytest.mark.on_mysql
@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "C:\\\\x.mp4",
        "-vf",
        "$(id).mp4",
        "a%0D%0Ab.mp4",
        "a\0b.mp4",
        "x" * 10_000 + ".mp4",
        "\u202egpj.mp4",
        "<script>alert(1)</script>.mp4",
        "..",
        ".mp4",
    ],
)
def test_a_hostile_name_is_a_title_at_most(
    alice: Client, videos_dir: Path, rows: Rows, video_bytes: bytes, name: str
) -> None:
    for parts in (
        (file_part(video_bytes, name),),
        (text_part("title", name), file_part(video_bytes)),
    ):
        answer = send(alice, *parts)
        assert answer.status_code == 201
        title = answer.get_json()["title"]
        assert 0 < len(title) <= 200
        assert not re.search("[\x00-\x1f\u202a-\u202e]", title)
    assert sorted(files_in(videos_dir)) == sorted(f"{v.id}/original.mp4" for v in rows.videos())


def test_the_form_shows_what_it_takes(alice: Client, videos_dir: Path) -> None:
    answer = alice.get("/upload")
    assert answer.status_code == 200
    assert f'data-max-size="{1 << 30}"' in answer.text
    assert re.search(r'name="submission"\s+value="[A-Za-z0-9_-]{22}"', answer.text)
    assert alice.head("/upload").status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"<!doctype html><title>x</title>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04" + bytes(100),
        b"just words",
        b"ffconcat version 1.0\nfile original.mp4\n",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        box(b"ftyp", FTYP_BRANDS),
        b"",
    ],
)
def test_what_is_not_a_video_is_rejected_and_removed(
    alice: Client, videos_dir: Path, rows: Rows, content: bytes
) -> None:
    answer = send(alice, text_part("title", "x"), file_part(content))
    assert answer.status_code == 422
    assert error_of(answer).endswith(".")
    assert nothing_is_left(videos_dir, rows)


def test_a_refused_form_comes_back_with_the_reason_and_the_title(
    alice: Client, videos_dir: Path
) -> None:
    answer = send(alice, text_part("title", "My <video>"), file_part(b"words"), json=False)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'value="My &lt;video&gt;"' in answer.text


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (text_part("title", "x"),),
        (text_part("file", "not a file"),),
        (file_part(b"", file_name=""),),
        (text_part("title", "x"), text_part("title", "y")),
        (text_part("submission", "../../etc/passwd"),),
        (text_part("title", b"\xff\xfe"),),
        (file_part(b"x", name="title"),),
    ],
)
def test_a_form_with_something_missing_or_doubled_is_refused(
    alice: Client, videos_dir: Path, rows: Rows, parts: tuple[bytes, ...]
) -> None:
    assert send(alice, *parts).status_code == 422
    assert nothing_is_left(videos_dir, rows)


def test_two_files_in_one_form_are_refused(
    alice: Client, videos_dir: Path, rows: Rows, video_bytes: bytes
) -> None:
    assert send(alice, file_part(video_bytes), file_part(video_bytes)).status_code == 422
    assert nothing_is_left(videos_dir, rows)


def test_fields_that_are_not_ours_are_passed_over(
    alice: Client, videos_dir: Path, video_bytes: bytes
) -> None:
    assert send(alice, text_part("token", "x"), file_part(video_bytes)).status_code == 201


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain", 403),
        ("application/json", 422),
        ("application/x-www-form-urlencoded", 422),
        ("video/mp4", 422),
        ("multipart/mixed; boundary=x", 422),
        ("", 422),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ('multipart/form-data; boundary="a b\x01"', 400),
        (f"multipart/form-data; boundary={'x' * 3000}", 400),
    ],
)
def test_another_kind_of_body_is_refused(
    alice: Client, videos_dir: Path, rows: Rows, video_bytes: bytes, content_type: str, status: int
) -> None:
    answer = send(alice, file_part(video_bytes), content_type=content_type)
    assert answer.status_code == status
    assert nothing_is_left(videos_dir, rows)


@pytest.mark.parametrize(
    "parts",
    [
        [text_part(f"f{i}", "x") for i in range(1001)],
        [text_part("title", "x" * 600_000)],
        [text_part("other", "x" * 600_000)],
        [file_part(b"x", name="other", file_name="x") + bytes(600_000)],
        [b"X: " + b"y" * 200_000 + b"\r\n\r\n"],
    ],
    ids=["1001 parts", "long field", "long unknown field", "unknown file", "long header"],
)
def test_an_oversized_form_is_refused(
    alice: Client, videos_dir: Path, rows: Rows, parts: list[bytes]
) -> None:
    assert send(alice, *parts).status_code == 413
    assert nothing_is_left(videos_dir, rows)


@pytest.mark.parametrize(
    "body",
    [b"\r\n", b"nonsense" * 1000, form_body(b"No-Disposition: x\r\n\r\nx"), form_body()[:-10]],
)
def test_what_cannot_be_read_as_a_form_is_refused(
    alice: Client, videos_dir: Path, rows: Rows, body: bytes
) -> None:
    answer = alice.post("/upload", data=body, content_type=CONTENT_TYPE)
    assert answer.status_code == 400
    assert nothing_is_left(videos_dir, rows)


def limit_to(site: Site, limit: int) -> None:
    services = site.apps["upload"].extensions["matinee"]
    services.settings = replace(services.settings, max_upload_size=limit)


class Untouched(io.BytesIO):
    """A body that must not be asked for before the answer is there."""

    reads = 0

    def read(self, *_: Any) -> bytes:
        self.reads += 1
        return b""


def announce(client: Client, length: int) -> TestResponse:
    """Post a body of this length, and return the answer, for which no byte of it was read."""
    body = Untouched()
    answer = client.post(
        "/upload",
        headers={"Accept": "application/json"},
        content_type=CONTENT_TYPE,
        environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(length)},
    )
    assert body.reads == 0
    return answer


def test_a_body_past_the_limit_is_refused_before_it_is_read(
    site: Site, alice: Client, videos_dir: Path
) -> None:
    limit_to(site, 1 << 20)
    answer = announce(alice, 16 << 30)
    assert answer.status_code == 413
    assert re.search(r"at most 1(\.0)? MB", error_of(answer))


def test_a_file_past_the_limit_is_removed(
    site: Site, alice: Client, videos_dir: Path, rows: Rows, video_bytes: bytes
) -> None:
    limit_to(site, len(video_bytes) - 1)
    assert send(alice, file_part(video_bytes)).status_code == 413
    assert nothing_is_left(videos_dir, rows)
    limit_to(site, len(video_bytes))
    assert send(alice, file_part(video_bytes)).status_code == 201


def test_a_file_without_room_is_refused_before_it_is_read(
    alice: Client, videos_dir: Path, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IncomingStore, "free_bytes", lambda _self: 65 << 20)
    answer = announce(alice, 2 << 20)
    assert answer.status_code == 507
    assert nothing_is_left(videos_dir, rows)


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (StorageFull("no space"), 507),
        (OSError(errno.EIO, "I/O error"), 500),
    ],
)
@pytest.mark.parametrize("step", ["append", "sync"])
def test_a_write_that_fails_leaves_nothing(
    alice: Client,
    videos_dir: Path,
    rows: Rows,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
    status: int,
    step: str,
) -> None:
    def fail(*_: Any) -> None:
        raise problem

    monkeypatch.setattr(file_io, step, fail)
    assert send(alice, file_part(video_bytes)).status_code == status
    assert nothing_is_left(videos_dir, rows)


def test_a_full_disk_in_the_middle_is_told_as_such(
    alice: Client, videos_dir: Path, rows: Rows, video_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IncomingStore, "free_bytes", lambda _self: (64 << 20) + 10)
    answer = send(alice, file_part(video_bytes))
    assert answer.status_code == 507
    assert nothing_is_left(videos_dir, rows)


def test_a_client_that_leaves_leaves_nothing(
    alice: Client, videos_dir: Path, rows: Rows, video_bytes: bytes
) -> None:
    whole = form_body(file_part(video_bytes))
    for length in (10, 100, len(whole) // 2, len(whole) - 50):
        answer = alice.post(
            "/upload",
            data=whole[:length],
            headers={"Content-Length": str(len(whole))},
            content_type=CONTENT_TYPE,
        )
        assert answer.status_code == 400
        assert nothing_is_left(videos_dir, rows)


@pytest.mark.on_mysql
def test_a_double_click_is_one_video(
    alice: Client, videos_dir: Path, rows: Rows, video_bytes: bytes
) -> None:
    parts = (text_part("submission", new_id()), file_part(video_bytes))
    first, second = send(alice, *parts), send(alice, *parts)
    assert first.get_json() == second.get_json()
    assert send(alice, *parts, json=False).location == first.get_json()["url"]
    assert files_in(videos_dir) == [f"{first.get_json()['id']}/original.mp4"]
    assert rows.uploads() == []


def test_the_same_file_in_two_forms_is_two_videos(
    alice: Client, videos_dir: Path, rows: Rows, video_bytes: bytes
) -> None:
    for _ in range(2):
        send(alice, text_part("submission", new_id()), file_part(video_bytes))
    assert len(rows.videos()) == 2


def test_another_file_under_an_old_submission_is_kept(
    alice: Client, videos_dir: Path, rows: Rows, video_bytes: bytes
) -> None:
    submission = text_part("submission", new_id())
    first = send(alice, submission, file_part(video_bytes))
    second = send(alice, submission, file_part(video_bytes + box(b"free", b"more")))
    assert first.get_json()["id"] != second.get_json()["id"]
    assert len(rows.videos()) == 2


def test_bob_is_not_given_alices_video_for_her_submission(
    alice: Client, bob: Client, videos_dir: Path, video_bytes: bytes
) -> None:
    parts = (text_part("submission", new_id()), file_part(video_bytes))
    assert send(alice, *parts).get_json()["id"] != send(bob, *parts).get_json()["id"]


def test_a_stranger_is_refused_before_the_body_is_read(site: Site, videos_dir: Path) -> None:
    browser = site.browser()
    assert announce(browser, 100).status_code == 401
    assert browser.get("/upload").location == "/login?next=/upload"


def test_a_viewer_may_not_upload(
    site: Site, stores: Stores, database: Database, videos_dir: Path, video_bytes: bytes
) -> None:
    viewer = sign_in(site, stores, add_user(database, "victor", Role.VIEWER))
    assert send(viewer, file_part(video_bytes)).status_code == 403
    assert viewer.get("/upload").status_code == 403


def test_another_sites_form_is_refused(alice: Client, videos_dir: Path, video_bytes: bytes) -> None:
    answer = alice.post(
        "/upload",
        data=form_body(file_part(video_bytes)),
        content_type=CONTENT_TYPE,
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


@pytest.mark.on_mysql
def test_an_account_deleted_during_the_upload_leaves_nothing(
    alice: Client,
    videos_dir: Path,
    rows: Rows,
    stores: Stores,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish = VideoStore.publish

    def publish_late(self: VideoStore, upload_id: str) -> None:
        stores.database.write(lambda session: session.query(User).delete())
        publish(self, upload_id)

    monkeypatch.setattr(VideoStore, "publish", publish_late)
    assert send(alice, file_part(video_bytes)).status_code == 410
    assert nothing_is_left(videos_dir, rows)


def test_an_account_sends_six_files_at_once_at_most(
    site: Site, alice: Client, bob: Client, owner: User, videos_dir: Path, video_bytes: bytes
) -> None:
    receiving = site.apps["upload"].extensions["matinee"].receiving
    with ExitStack() as others:
        for number in range(6):
            others.enter_context(receiving.receiving(owner.id, f"upload{number}"))
        answer = send(alice, file_part(video_bytes))
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
        assert send(bob, file_part(video_bytes)).status_code == 201
        # An upload that is being received already may be taken over.
        with receiving.receiving(owner.id, "upload0"):
            pass
        with pytest.raises(TooManyAtOnce), receiving.receiving(owner.id, "another"):
            pass
    assert send(alice, file_part(video_bytes)).status_code == 201


def test_a_missing_volume_is_told_and_readiness_says_no(
    site: Site, alice: Client, video_bytes: bytes
) -> None:
    inside = site.apps["upload"].test_client()
    assert inside.get("/readyz").get_json()["videos"] == "ok"
    (site.videos_dir / "incoming").rmdir()
    site.videos_dir.rmdir()
    assert send(alice, file_part(video_bytes)).status_code == 503
    assert alice.get("/upload").status_code == 200
    ready = inside.get("/readyz")
    assert ready.status_code == 503
    assert str(site.videos_dir) in ready.get_json()["videos"]
    site.videos_dir.mkdir()
    assert send(alice, file_part(video_bytes)).status_code == 201


def test_uploads_are_counted(
    site: Site, alice: Client, videos_dir: Path, video_bytes: bytes
) -> None:
    inside = site.apps["upload"].test_client()

    def counted() -> dict[str, float]:
        lines = inside.get("/metrics").text.splitlines()
        return {
            line.split(" ")[0]: float(line.split(" ")[1])
            for line in lines
            if line.startswith("matinee_upload")
        }

    send(alice, file_part(video_bytes))
    send(alice, file_part(b"words"))
    before = counted()
    send(alice, file_part(video_bytes))
    send(alice, file_part(b"words"))
    after = counted()
    received, finished = "matinee_upload_bytes_total", 'matinee_uploads_total{outcome="finished"}'
    assert after[received] - before[received] == len(video_bytes) + 5
    assert after[finished] - before[finished] == 1


def test_a_published_video_is_readable_by_the_gateway(
    alice: Client, videos_dir: Path, video_bytes: bytes
) -> None:
    video_id = send(alice, file_part(video_bytes)).get_json()["id"]
    assert (videos_dir / video_id).stat().st_mode & 0o777 == 0o755
    assert (videos_dir / video_id / "original.mp4").stat().st_mode & 0o777 == 0o644
    assert (videos_dir / "incoming").stat().st_mode & 0o777 == 0o700
