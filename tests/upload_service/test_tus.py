"""tus 1.0.0, header by header: what is taken, what is refused, and what stays.

All holds for uploads on the disk and for those in the object store.
"""

import errno
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.ids import new_id
from common.storage import IncomingStore, StorageFull, file_io
from common.stores import Stores
from db.engine import Database, DatabaseUnavailable
from db.models import Upload, User, now
from tests.conftest import Client, Site
from tests.upload_service.conftest import Place, Rows, sign_in
from tests.upload_service.forms import file_part, send
from tests.upload_service.tus_client import OCTETS, Tus, checksum, metadata
from upload_service.janitor.cleanup import Cleaner
from upload_service.uploads import finish
from upload_service.uploads.context import UploadContext

# Also for what is decided before it matters where bytes are.
ON_DISK = pytest.mark.parametrize("place", ["disk"], indirect=True)


@pytest.fixture
def tus(alice: Client, place: Place) -> Tus:
    return Tus(alice)


@pytest.fixture
def set_up(site: Site) -> Iterator[Callable[..., None]]:
    """Change settings of the upload service."""
    fixed = site.apps["upload"].extensions["matinee"].stores.site.fixed

    def change(**values: Any) -> None:
        app = site.apps["upload"]
        services = app.extensions["matinee"]
        if "quota" in values:  # a setting of the site
            fixed["quota"] = values.pop("quota")
        services.settings = replace(services.settings, **values)

    yield change
    fixed.pop("quota", None)


@pytest.fixture
def cleaner(context: UploadContext) -> Cleaner:
    own = context.stores, context.incoming, context.videos, context.settings
    return Cleaner(*own, object_store=context.object_store)


# The protocol ------------------------------------------------------------------------------------


@ON_DISK
def test_options_tell_what_is_supported(tus: Tus) -> None:
    answer = tus.send("OPTIONS", Tus_Resumable=None)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == (
        "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,"
        "concatenation"
    )
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert answer.headers["Tus-Max-Size"] == str(1 << 30)
    assert "Tus-Resumable" not in answer.headers


@pytest.mark.on_mysql
def test_a_video_arrives_in_chunks_and_becomes_a_video(
    tus: Tus, place: Place, rows: Rows, video_bytes: bytes
) -> None:
    where = tus.begin(
        len(video_bytes), Upload_Metadata=metadata(filename="C:\\videos\\Harbour.mp4")
    )
    assert tus.offset(where) == 0
    middle = len(video_bytes) // 2
    answer = tus.patch(where, 0, video_bytes[:middle])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(middle))
    assert answer.headers["Upload-Expires"].endswith("GMT")
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert "Upload-Video" not in answer.headers
    answer = tus.patch(where, middle, video_bytes[middle:])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(len(video_bytes)))
    (video,) = rows.videos()
    assert answer.headers["Upload-Video"] == f"/stream/{video.id}"
    assert (video.title, video.size) == ("Harbour", len(video_bytes))
    assert rows.uploads() == []
    assert place.video(video.id) == video_bytes
    answer = tus.head(where)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (200, str(len(video_bytes)))
    assert answer.headers["Upload-Length"] == str(len(video_bytes))
    assert answer.headers["Upload-Video"] == f"/stream/{video.id}"


def test_creation_with_everything_gives_a_video(tus: Tus, rows: Rows, video_bytes: bytes) -> None:
    answer = tus.create(len(video_bytes), video_bytes)
    assert answer.status_code == 201
    assert answer.headers["Upload-Offset"] == str(len(video_bytes))
    assert answer.headers["Upload-Video"] == f"/stream/{rows.videos()[0].id}"


def test_creation_with_a_beginning_goes_on(tus: Tus, rows: Rows, video_bytes: bytes) -> None:
    answer = tus.create(len(video_bytes), video_bytes[:10])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "10")
    assert tus.patch(answer.headers["Location"], 10, video_bytes[10:]).status_code == 204
    assert len(rows.videos()) == 1


@ON_DISK
@pytest.mark.parametrize(
    "length", ["-1", "1.5", str(1 << 64), str(1 << 63), "", "5,5", "five", " ", "0x10"]
)
def test_a_length_that_is_none_is_refused(tus: Tus, rows: Rows, length: str) -> None:
    answer = tus.send("POST", Upload_Length=length)
    assert answer.status_code == 400
    assert "Upload-Length" in answer.get_json()["error"]
    assert rows.uploads() == []


@ON_DISK
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload_Defer_Length": "2"},
        {"Upload_Defer_Length": "1", "Upload_Length": "5"},
        {"Upload_Length": "5", "Upload_Metadata": "a b,a b"},
        {"Upload_Length": "5", "Upload_Metadata": "title ***"},
        {"Upload_Length": "5", "Upload_Metadata": "title YQ==,,x YQ=="},
        {"Upload_Length": "5", "Upload_Metadata": metadata(submission="short")},
        {"Upload_Length": "5", "Upload_Metadata": metadata(fingerprint="a b")},
        {"Upload_Length": "5", "Upload_Metadata": "title " + "YQaa" * 3000},
        {"Upload_Length": "5", "Upload_Concat": "sideways"},
        {"Upload_Concat": "final;"},
        {"Upload_Concat": "final;/upload/files/../x"},
        {"Upload_Concat": f"final;/upload/files/{new_id()}"},
        {"Upload_Concat": "final;http://[x"},
    ],
)
def test_what_cannot_be_announced_is_refused(tus: Tus, rows: Rows, headers: Any) -> None:
    answer = tus.send("POST", **headers)
    assert answer.status_code == 400
    assert answer.get_json()["error"]
    assert rows.uploads() == []


def test_a_file_that_is_too_large_is_refused_before_its_bytes(tus: Tus, rows: Rows) -> None:
    answer = tus.create((1 << 30) + 1)
    assert answer.status_code == 413
    assert "at most" in answer.get_json()["error"]
    assert rows.uploads() == []


def test_an_empty_file_is_rejected(tus: Tus, rows: Rows, place: Place) -> None:
    assert tus.create(0).status_code == 422
    assert (rows.uploads(), place.files()) == ([], [])


@ON_DISK
@pytest.mark.parametrize("version", [None, "0.2.2", "2.0.0"])
def test_another_version_is_refused_and_nothing_is_done(
    tus: Tus, place: Place, version: str | None
) -> None:
    where = tus.begin(5)
    for method, path in (("POST", "/upload/files"), ("PATCH", where), ("HEAD", where)):
        headers = {"Upload_Length": "5", "Upload_Offset": "0", "Content_Type": OCTETS}
        answer = tus.send(method, path, b"x", Tus_Resumable=version, **headers)  # type: ignore[arg-type]
        assert answer.status_code == 412
        assert answer.headers["Tus-Version"] == "1.0.0"
    assert tus.send("DELETE", where, Tus_Resumable=version).status_code == 412  # type: ignore[arg-type]
    assert place.unfinished(where) == b""


def test_bytes_of_another_type_are_refused(tus: Tus, place: Place) -> None:
    where = tus.begin(5)
    assert tus.patch(where, 0, b"x", Content_Type="video/mp4").status_code == 415
    assert tus.create(5, b"x", Content_Type="text/plain").status_code == 415
    assert place.unfinished(where) == b""


@pytest.mark.parametrize("offset", [0, 2, 4, 100])
def test_a_wrong_offset_writes_nothing(tus: Tus, place: Place, offset: int) -> None:
    where = tus.begin(9)
    tus.patch(where, 0, b"abc")
    assert tus.patch(where, offset, b"x").status_code == 409
    assert place.unfinished(where) == b"abc"


@ON_DISK
@pytest.mark.parametrize("offset", ["", "-1", "x", "1,1"])
def test_an_offset_that_is_none_is_refused(tus: Tus, offset: str) -> None:
    where = tus.begin(9)
    answer = tus.send("PATCH", where, b"x", Content_Type=OCTETS, Upload_Offset=offset)
    assert answer.status_code == 400


def test_bytes_past_the_length_are_refused_and_not_stored(tus: Tus, place: Place) -> None:
    where = tus.begin(5)
    assert tus.patch(where, 0, b"abc").status_code == 204
    assert tus.patch(where, 3, b"def").status_code == 413
    assert place.unfinished(where) == b"abc"
    assert tus.create(5, b"abcdef").status_code == 413


def test_the_length_may_come_later_and_once(tus: Tus, rows: Rows, video_bytes: bytes) -> None:
    where = tus.begin(Upload_Defer_Length="1")
    assert tus.head(where).headers["Upload-Defer-Length"] == "1"
    assert tus.patch(where, 0, video_bytes[:7]).status_code == 204
    assert tus.patch(where, 7, b"", Upload_Length="6").status_code == 400
    assert tus.patch(where, 7, b"", Upload_Length=str(1 << 40)).status_code == 413
    assert tus.patch(where, 7, b"", Upload_Length=str(len(video_bytes))).status_code == 204
    assert tus.head(where).headers["Upload-Length"] == str(len(video_bytes))
    assert tus.patch(where, 7, b"", Upload_Length=str(len(video_bytes) + 1)).status_code == 400
    assert tus.patch(where, 7, video_bytes[7:]).status_code == 204
    assert len(rows.videos()) == 1


@ON_DISK
@pytest.mark.on_mysql
def test_metadata_comes_back_as_it_was_given(tus: Tus) -> None:
    given = f"{metadata(filename='a.mp4', colour='red')},empty"
    assert tus.head(tus.begin(5, Upload_Metadata=given)).headers["Upload-Metadata"] == given


@ON_DISK
@pytest.mark.on_mysql
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../x.mp4", "x.mp4"),
        ("C:\\x.mp4", "x.mp4"),
        ("-vf", "-vf"),
        ("$(id)", "$(id)"),
        ("a\r\nSet-Cookie: b", "a Set-Cookie: b"),
        ("a\0b", "ab"),
        ("x" * 5000, "x" * 255),
        ("a\u202eb", "ab"),
        ("<script>", "<script>"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_hostile_names_are_text(
    tus: Tus, place: Place, rows: Rows, name: str | bytes, shown: str
) -> None:
    where = tus.begin(5, Upload_Metadata=metadata(filename=name))
    assert rows.uploads()[0].file_name == shown
    assert place.files() == [f"incoming/{where.rsplit('/', 1)[1]}"]


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_another_method_may_stand_for_the_real_one(
    tus: Tus, rows: Rows, video_bytes: bytes, method: str
) -> None:
    where = tus.begin(len(video_bytes))
    headers = {"Upload_Offset": "0", "Content_Type": OCTETS}
    answer = tus.send(method, where, video_bytes, X_HTTP_Method_Override="PATCH", **headers)
    assert answer.status_code == 204
    assert len(rows.videos()) == 1


def test_the_real_method_is_what_is_checked(tus: Tus, rows: Rows, bob: Client) -> None:
    where = tus.begin(5)
    override = {"X_HTTP_Method_Override": "DELETE"}
    cross = {"Sec_Fetch_Site": "cross-site"}
    assert tus.send("GET", where, **override, **cross).status_code == 403
    assert tus.send("HEAD", where, **override, **cross).status_code == 403
    assert Tus(bob).send("POST", where, **override).status_code == 404
    assert len(rows.uploads()) == 1
    assert tus.send("POST", where, **override).status_code == 204
    assert rows.uploads() == []


@ON_DISK
def test_other_methods_are_not_taken(tus: Tus) -> None:
    where = tus.begin(5)
    assert tus.send("GET", where).status_code == 405
    assert tus.send("POST", where).status_code == 405
    assert "POST" in tus.send("PATCH").headers["Allow"]


def test_anothers_upload_is_not_there(tus: Tus, bob: Client, place: Place) -> None:
    where = tus.begin(5)
    other = Tus(bob)
    answers = [
        other.head(where),
        other.patch(where, 0, b"abc"),
        other.send("DELETE", where),
        other.browser.post(f"{where}/discard"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert "Upload-Offset" not in answers[0].headers
    assert place.unfinished(where) == b""
    assert other.browser.get("/api/uploads").get_json() == {"uploads": []}


def test_what_is_no_upload_is_not_there(tus: Tus, alice: Client) -> None:
    assert tus.head(f"/upload/files/{new_id()}").status_code == 404
    assert tus.head("/upload/files/x").status_code == 404
    assert tus.patch(f"/upload/files/{new_id()}", 0, b"x").status_code == 404


def test_a_session_that_ends_keeps_the_bytes(
    tus: Tus, site: Site, stores: Stores, owner: User, video_bytes: bytes, rows: Rows
) -> None:
    where = tus.begin(len(video_bytes))
    tus.patch(where, 0, video_bytes[:9])
    answer = Tus(site.browser()).patch(where, 9, video_bytes[9:])
    assert answer.status_code == 401
    assert answer.get_json()["error"]
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    again = Tus(sign_in(site, stores, owner))
    assert again.offset(where) == 9
    assert again.patch(where, 9, video_bytes[9:]).status_code == 204
    assert len(rows.videos()) == 1


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_damaged_chunk_is_dropped_whole(
    tus: Tus, place: Place, rows: Rows, video_bytes: bytes, algorithm: str
) -> None:
    where = tus.begin(len(video_bytes))
    tus.patch(where, 0, video_bytes[:9])
    damaged = video_bytes[9:-1] + bytes([video_bytes[-1] ^ 1])
    given = checksum(video_bytes[9:], algorithm)
    assert tus.patch(where, 9, damaged, Upload_Checksum=given).status_code == 460
    assert place.unfinished(where) == video_bytes[:9]
    assert tus.patch(where, 9, video_bytes[9:], Upload_Checksum=given).status_code == 204
    (video,) = rows.videos()
    assert place.video(video.id) == video_bytes


@pytest.mark.parametrize("given", ["md5 YQ==", "sha1", "sha1 *", ""])
def test_an_unknown_checksum_is_refused(tus: Tus, place: Place, given: str) -> None:
    where = tus.begin(5)
    assert tus.patch(where, 0, b"abc", Upload_Checksum=given).status_code == 400
    assert place.unfinished(where) == b""


def test_a_checksum_of_the_wrong_length_matches_nothing(tus: Tus, place: Place) -> None:
    where = tus.begin(5)
    assert tus.patch(where, 0, b"abc", Upload_Checksum="sha1 YQ==").status_code == 460
    assert place.unfinished(where) == b""


def test_an_upload_that_is_ended_is_gone(tus: Tus, place: Place, rows: Rows) -> None:
    where = tus.begin(5)
    assert tus.send("DELETE", where).status_code == 204
    assert (place.files(), rows.uploads()) == ([], [])
    assert tus.head(where).status_code == 404
    assert tus.send("DELETE", where).status_code == 404


def test_deleting_a_finished_upload_keeps_its_video(
    tus: Tus, bob: Client, rows: Rows, video_bytes: bytes
) -> None:
    where = tus.create(len(video_bytes), video_bytes).headers["Location"]
    assert Tus(bob).send("DELETE", where).status_code == 404
    assert tus.send("DELETE", where).status_code == 204
    assert len(rows.videos()) == 1


# Parts -------------------------------------------------------------------------------------------


@pytest.mark.on_mysql
def test_parts_become_one_video(tus: Tus, place: Place, rows: Rows, video_bytes: bytes) -> None:
    parts = []
    for piece in (video_bytes[:100], video_bytes[100:300], video_bytes[300:]):
        part = tus.begin(len(piece), Upload_Concat="partial", Upload_Metadata=metadata(title="p"))
        assert tus.patch(part, 0, piece).status_code == 204
        assert tus.head(part).headers["Upload-Concat"] == "partial"
        parts.append(part)
    assert rows.videos() == []
    given = f"final;{parts[0]} http://x{parts[1]} {parts[2]}"
    answer = tus.send("POST", Upload_Concat=given, Upload_Metadata=metadata(title="Harbour"))
    assert answer.status_code == 201
    (video,) = rows.videos()
    assert answer.headers["Upload-Video"] == f"/stream/{video.id}"
    assert video.title == "Harbour"
    finished = tus.head(answer.headers["Location"])
    assert finished.headers["Upload-Concat"] == f"final;{' '.join(parts)}"
    assert finished.headers["Upload-Offset"] == str(len(video_bytes))
    assert tus.patch(answer.headers["Location"], len(video_bytes)).status_code == 403
    assert place.video(video.id) == video_bytes
    assert (rows.uploads(), len(place.files())) == ([], 1)


def test_parts_that_are_not_complete_are_not_put_together(tus: Tus, bob: Client) -> None:
    unfinished = tus.begin(5, Upload_Concat="partial")
    whole = tus.begin(5)
    for part in (unfinished, whole):
        assert tus.send("POST", Upload_Concat=f"final;{part}").status_code == 400
    tus.patch(unfinished, 0, b"abcde")
    assert Tus(bob).send("POST", Upload_Concat=f"final;{unfinished}").status_code == 400


def test_parts_that_make_no_video_go_with_it(tus: Tus, place: Place, rows: Rows) -> None:
    part = tus.begin(5, Upload_Concat="partial")
    tus.patch(part, 0, b"words")
    assert tus.send("POST", Upload_Concat=f"final;{part}").status_code == 422
    assert (place.files(), rows.uploads()) == ([], [])


@ON_DISK
@pytest.mark.on_mysql
def test_joining_that_a_crash_cut_short_goes_on(
    tus: Tus,
    place: Place,
    context: UploadContext,
    rows: Rows,
    cleaner: Cleaner,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = []
    for piece in (video_bytes[:100], video_bytes[100:]):
        part = tus.begin(len(piece), Upload_Concat="partial")
        tus.patch(part, 0, piece)
        parts.append(part)

    def die(*_: Any, **__: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(file_io, "sync", die)
        assert tus.send("POST", Upload_Concat=f"final;{parts[0]} {parts[1]}").status_code == 500
    (final,) = [upload for upload in rows.uploads() if upload.parts]
    with (context.incoming.root / "incoming" / final.id).open("r+b") as file:
        file.truncate(150)
    where = f"/upload/files/{final.id}"
    answer = tus.head(where)
    assert answer.status_code == 200
    assert "Upload-Offset" not in answer.headers
    assert answer.headers["Upload-Concat"] == f"final;{parts[0]} {parts[1]}"
    assert tus.patch(where, 150, video_bytes[150:]).status_code == 403
    assert cleaner.clean()["upload finished"] == 1
    assert place.video(final.id) == video_bytes
    assert rows.uploads() == []


# Faults ------------------------------------------------------------------------------------------


@ON_DISK
@pytest.mark.parametrize(
    ("problem", "status"), [(StorageFull("full"), 507), (OSError(errno.EIO, "broken"), 500)]
)
@pytest.mark.parametrize("where_it_fails", ["append", "sync"])
@pytest.mark.parametrize("checked", [False, True])
def test_a_write_that_fails_does_not_advance_the_offset(
    tus: Tus,
    rows: Rows,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
    status: int,
    where_it_fails: str,
    checked: bool,
) -> None:
    where = tus.begin(len(video_bytes))
    tus.patch(where, 0, video_bytes[:9])
    headers = {"Upload_Checksum": checksum(video_bytes[9:])} if checked else {}

    def fail(*_: Any) -> None:
        raise problem

    with monkeypatch.context() as patch:
        patch.setattr(file_io, where_it_fails, fail)
        assert tus.patch(where, 9, video_bytes[9:], **headers).status_code == status
    assert tus.offset(where) == 9
    assert tus.patch(where, 9, video_bytes[9:], **headers).status_code == 204
    assert len(rows.videos()) == 1


def test_what_is_no_video_goes_with_its_row(tus: Tus, rows: Rows, place: Place) -> None:
    where = tus.begin(5)
    answer = tus.patch(where, 0, b"words")
    assert answer.status_code == 422
    assert answer.get_json()["error"]
    assert (rows.uploads(), place.files()) == ([], [])
    assert tus.head(where).status_code == 404


@pytest.mark.on_mysql
@pytest.mark.parametrize("how", ["head", "patch", "janitor"])
@pytest.mark.parametrize("published", [False, True])
def test_a_crash_before_the_end_costs_nothing(
    tus: Tus,
    place: Place,
    rows: Rows,
    context: UploadContext,
    cleaner: Cleaner,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    published: bool,
) -> None:
    where = tus.begin(len(video_bytes))

    def die(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(finish, "finish_upload", die)
        assert tus.patch(where, 0, video_bytes).status_code == 503
    upload_id = where.rsplit("/", 1)[1]
    if published:
        place.publish(context, upload_id)
    if how == "janitor":
        assert cleaner.clean() == {"upload finished": 1}
    else:
        answer = tus.head(where) if how == "head" else tus.patch(where, len(video_bytes))
        assert answer.status_code in (200, 204)
        assert answer.headers["Upload-Video"] == f"/stream/{upload_id}"
    assert [video.id for video in rows.videos()] == [upload_id]
    assert rows.uploads() == []
    assert tus.patch(where, len(video_bytes)).headers["Upload-Video"] == f"/stream/{upload_id}"
    assert tus.patch(where, len(video_bytes), b"x").status_code == 413
    assert tus.patch(where, 0, video_bytes).status_code == 409


def test_a_double_submit_gives_one_video_and_a_second_file_two(
    tus: Tus, rows: Rows, video_bytes: bytes
) -> None:
    submission = metadata(submission=new_id())
    first, second = (
        tus.create(len(video_bytes), video_bytes, Upload_Metadata=submission) for _ in range(2)
    )
    assert first.headers["Upload-Video"] == second.headers["Upload-Video"]
    tus.create(len(video_bytes), video_bytes)
    assert len(rows.videos()) == 2


def age(database: Database, **values: Any) -> None:
    database.write(lambda session: session.query(Upload).update(values))


@pytest.mark.on_mysql
def test_an_upload_expires_unless_it_is_continued(
    tus: Tus, rows: Rows, database: Database, place: Place, cleaner: Cleaner
) -> None:
    where = tus.begin(5)
    age(database, expires_at=now() + timedelta(hours=1), created_at=now() - timedelta(days=5))
    tus.patch(where, 0, b"ab")
    (row,) = rows.uploads()
    assert row.expires_at
    assert row.expires_at > now() + timedelta(days=6)
    assert cleaner.clean() == {}
    age(database, expires_at=now() - timedelta(seconds=1))
    assert tus.head(where).status_code == 410
    assert tus.patch(where, 2, b"cde").status_code == 410
    assert cleaner.clean() == {"upload removed": 1}
    assert (rows.uploads(), place.files()) == ([], [])


def test_an_expired_upload_that_is_being_written_is_left_alone(
    tus: Tus, rows: Rows, database: Database, place: Place, cleaner: Cleaner
) -> None:
    where = tus.begin(5)
    age(database, expires_at=now() - timedelta(seconds=1))
    with place.lock(where):
        assert cleaner.clean() == {}
    assert len(rows.uploads()) == 1


# Room --------------------------------------------------------------------------------------------


@pytest.mark.on_mysql
def test_the_quota_counts_videos_and_reservations(
    tus: Tus, set_up: Callable[..., None], video_bytes: bytes
) -> None:
    set_up(quota=len(video_bytes) + 100)
    assert tus.create(len(video_bytes), video_bytes).status_code == 201
    where = tus.begin(60)
    answer = tus.create(60)
    assert answer.status_code == 413
    assert "40 bytes" in answer.get_json()["error"] or "40 B" in answer.get_json()["error"]
    assert "administrator" in answer.get_json()["error"]
    tus.send("DELETE", where)
    assert tus.create(60).status_code == 201


@pytest.mark.on_mysql
def test_a_user_may_have_another_quota(
    tus: Tus, set_up: Callable[..., None], database: Database
) -> None:
    set_up(quota=10)
    assert tus.create(11).status_code == 413
    database.write(lambda session: session.query(User).update({"quota": 20}))
    assert tus.create(20).status_code == 201
    assert tus.create(1).status_code == 413


def test_bytes_of_an_unknown_length_are_held_to_the_quota(
    tus: Tus, set_up: Callable[..., None]
) -> None:
    set_up(quota=10)
    where = tus.begin(Upload_Defer_Length="1")
    assert tus.patch(where, 0, b"12345678").status_code == 204
    assert tus.create(3).status_code == 413
    assert tus.patch(where, 8, b"901").status_code == 413
    assert tus.offset(where) == 8
    assert tus.patch(where, 8, b"90").status_code == 204


@pytest.mark.on_mysql
def test_parts_are_counted_once(tus: Tus, set_up: Callable[..., None], video_bytes: bytes) -> None:
    set_up(quota=len(video_bytes))
    part = tus.begin(len(video_bytes), Upload_Concat="partial")
    tus.patch(part, 0, video_bytes)
    assert tus.send("POST", Upload_Concat=f"final;{part}").status_code == 201


@pytest.mark.on_mysql
def test_fifty_at_once_never_exceed_the_quota(
    tus: Tus, site: Site, stores: Stores, owner: User, set_up: Callable[..., None], rows: Rows
) -> None:
    set_up(quota=1000)
    browsers = [Tus(sign_in(site, stores, owner)) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda i: browsers[i % 10].create(300).status_code, range(50)))
    assert answers.count(201) == 3
    assert set(answers) <= {201, 413, 503}
    assert sum(upload.length or 0 for upload in rows.uploads()) == 900


@ON_DISK
@pytest.mark.on_mysql
def test_disk_space_is_reserved_once(
    tus: Tus, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IncomingStore, "free_bytes", lambda _self: (64 << 20) + 1000)
    where = tus.begin(600)
    assert tus.create(600).status_code == 507
    tus.patch(where, 0, bytes(300))
    # What was written has left the free room, in truth.
    monkeypatch.setattr(IncomingStore, "free_bytes", lambda _self: (64 << 20) + 700)
    assert tus.create(401).status_code == 507
    assert tus.create(400).status_code == 201


@ON_DISK
@pytest.mark.on_mysql
def test_an_account_has_a_hundred_unfinished_uploads_at_most(
    tus: Tus, bob: Client, rows: Rows, video_bytes: bytes
) -> None:
    part = tus.begin(len(video_bytes), Upload_Concat="partial")
    assert tus.patch(part, 0, video_bytes).status_code == 204
    wheres = [tus.begin(1) for _ in range(99)]
    answer = tus.create(1)
    assert answer.status_code == 429
    assert "100 unfinished uploads" in answer.get_json()["error"]
    assert send(tus.browser, file_part(video_bytes)).status_code == 429
    assert Tus(bob).create(1).status_code == 201
    # A whole is made of parts that are counted already.
    assert tus.send("POST", Upload_Concat=f"final;{part}").status_code == 201
    tus.send("DELETE", wheres[0])
    assert tus.create(1).status_code == 201


def test_a_new_upload_looks_at_no_other_uploads_file_while_there_is_space(
    tus: Tus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError

    tus.begin(600)
    monkeypatch.setattr(IncomingStore, "sizes", fail)
    monkeypatch.setattr(IncomingStore, "incoming_size", fail)
    assert tus.create(600).status_code == 201


# The page ----------------------------------------------------------------------------------------


def test_unfinished_uploads_are_listed_and_can_be_thrown_away(
    tus: Tus, alice: Client, rows: Rows, video_bytes: bytes
) -> None:
    submission = new_id()
    given = metadata(filename="a.mp4", title="Harbour", fingerprint="abc-1", submission=submission)
    where = tus.begin(10, Upload_Metadata=given)
    tus.patch(where, 0, b"abc")
    (listed,) = alice.get("/api/uploads").get_json()["uploads"]
    assert listed.pop("created_at") < listed.pop("expires_at")
    assert listed == {
        "id": where.rsplit("/", 1)[1],
        "url": where,
        "page": where.replace("/upload/files", "/stream"),
        "is_video": False,
        "title": "Harbour",
        "file_name": "a.mp4",
        "length": 10,
        "offset": 3,
        "fingerprint": "abc-1",
        "submission": submission,
    }
    assert alice.get("/upload").status_code == 200
    answer = alice.post(f"{where}/discard")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/upload")
    assert rows.uploads() == []


def test_a_viewer_may_not_upload(site: Site, stores: Stores, database: Database) -> None:
    from db.models import Role
    from tests.upload_service.conftest import add_user

    viewer = sign_in(site, stores, add_user(database, "vera", Role.VIEWER))
    assert Tus(viewer).create(5).status_code == 403
    assert viewer.get("/api/uploads").status_code == 403
