"""The janitor's rules: whatever a crash left, a pass brings the volume and the rows together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.ids import new_id
from common.storage import StorageError, VideoStore, file_io
from db.engine import Database, DatabaseUnavailable
from db.models import AuditEntry, Upload, Video, now
from tests.conftest import Client
from tests.upload_service.conftest import HOUR, Files, Rows, files_in, grow_old
from tests.upload_service.forms import file_part, send
from upload_service.janitor.audit import audit
from upload_service.janitor.cleanup import Cleaner
from upload_service.uploads import finish
from upload_service.uploads.context import UploadContext
from upload_service.uploads.create import NewUpload, insert_upload

Begin = Callable[..., Upload]


@pytest.fixture
def cleaner(context: UploadContext) -> Cleaner:
    return new_cleaner(context)


def new_cleaner(context: UploadContext, **options: Any) -> Cleaner:
    return Cleaner(context.stores, context.incoming, context.videos, context.settings, **options)


@pytest.fixture
def begin(context: UploadContext, storage: Files) -> Begin:
    """Create a form's upload, and go as far as asked."""

    def begin(content: bytes | None = None, *, published: bool = False) -> Upload:
        new = NewUpload(length=None, title="Harbour", resumable=False)
        upload = insert_upload(context.database, context=context, new=new, parts=None)
        if content is not None:
            storage.create_incoming(upload.id)
            with storage.open_for_appending(upload.id) as file:
                file_io.append(file, content)
        if published:
            storage.publish(upload.id)
        return upload

    return begin


@pytest.fixture
def video_id(cleaner: Cleaner, begin: Begin, video_bytes: bytes) -> str:
    """A video that the janitor has made of an upload."""
    upload = begin(video_bytes, published=True)
    cleaner.clean()
    return upload.id


def age(database: Database, upload: Upload) -> None:
    def change(session: Any) -> None:
        session.get(Upload, upload.id).created_at = now() - timedelta(seconds=2 * HOUR)

    database.write(change)


@pytest.mark.on_mysql
def test_bytes_that_were_published_before_a_crash_become_their_video(
    cleaner: Cleaner, storage: Files, begin: Begin, rows: Rows, video_bytes: bytes
) -> None:
    upload = begin(video_bytes, published=True)
    assert cleaner.clean() == {"upload finished": 1}
    (video,) = rows.videos()
    assert (video.id, video.title, video.duration_ms) == (upload.id, "Harbour", 2000)
    assert rows.uploads() == []
    assert cleaner.clean() == {}


@pytest.mark.on_mysql
def test_an_upload_that_stands_still_is_given_up(
    cleaner: Cleaner, storage: Files, begin: Begin, rows: Rows, video_bytes: bytes
) -> None:
    upload = begin(video_bytes[:100])
    assert cleaner.clean() == {}
    grow_old(storage.root / "incoming" / upload.id)
    assert cleaner.clean() == {"upload removed": 1}
    assert (files_in(storage.root), rows.uploads()) == ([], [])


def test_an_old_upload_that_still_grows_is_left_alone(
    cleaner: Cleaner, begin: Begin, database: Database, rows: Rows, video_bytes: bytes
) -> None:
    age(database, begin(video_bytes[:100]))
    assert cleaner.clean() == {}
    assert len(rows.uploads()) == 1


def test_an_announced_upload_without_bytes_is_removed_in_time(
    cleaner: Cleaner, begin: Begin, database: Database, rows: Rows
) -> None:
    upload = begin()
    assert cleaner.clean() == {}
    age(database, upload)
    assert cleaner.clean() == {"upload removed": 1}
    assert rows.uploads() == []


def test_bytes_without_a_row_are_removed_in_time(cleaner: Cleaner, storage: Files) -> None:
    stray = new_id()
    storage.create_incoming(stray)
    with storage.open_for_appending(stray) as file:
        file_io.append(file, b"stray")
    assert cleaner.clean() == {}
    grow_old(storage.root / "incoming" / stray)
    assert cleaner.clean() == {"stray bytes removed": 1}
    assert files_in(storage.root) == []


def test_what_is_not_ours_in_the_folder_is_left_alone(cleaner: Cleaner, storage: Files) -> None:
    (storage.root / "incoming" / ".keep").touch()
    grow_old(storage.root / "incoming" / ".keep")
    assert cleaner.clean() == {}
    assert files_in(storage.root) == ["incoming/.keep"]


@pytest.mark.on_mysql
@pytest.mark.parametrize("column", ["deleted_at", "owner_id"])
def test_a_video_that_is_nobodys_goes_with_its_bytes(
    cleaner: Cleaner, storage: Files, database: Database, rows: Rows, video_id: str, column: str
) -> None:
    value = now() if column == "deleted_at" else None
    database.write(lambda session: setattr(session.get(Video, video_id), column, value))
    assert cleaner.clean() == {"video removed": 1}
    assert (files_in(storage.root), rows.videos()) == ([], [])
    assert not (storage.root / video_id).exists()


@pytest.mark.on_mysql
def test_the_bin_is_emptied_of_what_has_been_there_for_thirty_days(
    cleaner: Cleaner, database: Database, rows: Rows, video_id: str
) -> None:
    def bin_for(time: timedelta) -> None:
        binned_at = now() - time
        database.write(
            lambda session: setattr(session.get(Video, video_id), "binned_at", binned_at)
        )

    bin_for(timedelta(days=29, hours=23))
    assert cleaner.clean() == {}
    bin_for(timedelta(days=30))
    assert cleaner.clean() == {"binned video deleted": 1, "video removed": 1}
    assert rows.videos() == []
    entries = database.read(
        lambda session: session.query(AuditEntry).filter_by(video_id=video_id).all()
    )
    assert [(e.action, e.video_id, e.actor_id) for e in entries] == [
        ("video.deleted", video_id, None)
    ]


def test_a_removal_cut_short_is_taken_up_again(
    cleaner: Cleaner, storage: Files, database: Database, rows: Rows, video_id: str
) -> None:
    database.write(lambda session: setattr(session.get(Video, video_id), "deleted_at", now()))
    (storage.root / video_id / "original.mp4").unlink()
    assert cleaner.clean() == {"video removed": 1}
    assert rows.videos() == []


def test_a_video_the_database_does_not_know_is_reported_and_kept(
    cleaner: Cleaner, storage: Files, database: Database, video_id: str
) -> None:
    database.write(lambda session: session.query(Video).delete())
    grow_old(storage.root / video_id)
    cleaner.clean()
    found = audit(database, storage, cleanup_after=HOUR)
    assert found.unknown_folders == [video_id]
    assert files_in(storage.root) == [f"{video_id}/original.mp4"]


def test_a_video_whose_file_is_missing_is_reported_and_kept(
    cleaner: Cleaner, storage: Files, database: Database, rows: Rows, video_id: str
) -> None:
    assert audit(database, storage, cleanup_after=HOUR).missing_originals == []
    (storage.root / video_id / "original.mp4").unlink()
    cleaner.clean()
    assert audit(database, storage, cleanup_after=HOUR).missing_originals == [video_id]
    stopped = audit(database, storage, cleanup_after=HOUR, stopping=lambda: True)
    assert stopped.missing_originals == []
    assert len(rows.videos()) == 1


def test_an_empty_folder_that_nobody_needs_is_removed(
    storage: Files, begin: Begin, database: Database
) -> None:
    needed, unneeded = begin().id, new_id()
    for folder in (storage.root / needed, storage.root / unneeded):
        folder.mkdir()
        grow_old(folder)
    audit(database, storage, cleanup_after=HOUR, stopping=lambda: True)
    assert (storage.root / unneeded).exists()
    assert audit(database, storage, cleanup_after=HOUR).unknown_folders == []
    assert (storage.root / needed).exists()
    assert not (storage.root / unneeded).exists()


def test_one_thing_that_fails_does_not_keep_the_rest_from_being_done(
    cleaner: Cleaner,
    storage: Files,
    begin: Begin,
    rows: Rows,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uploads = [begin(video_bytes, published=True) for _ in range(3)]
    has_original = Files.has_original

    def fail_for_one(self: Files, video_id: str) -> bool:
        if video_id == uploads[1].id:
            raise OSError("a bad sector")
        return has_original(self, video_id)

    monkeypatch.setattr(Files, "has_original", fail_for_one)
    assert cleaner.clean() == {"upload finished": 2}
    assert [upload.id for upload in rows.uploads()] == [uploads[1].id]


@pytest.mark.on_mysql
def test_two_janitors_at_once_do_the_work_once(
    context: UploadContext,
    storage: Files,
    begin: Begin,
    database: Database,
    rows: Rows,
    video_bytes: bytes,
) -> None:
    finished = [begin(video_bytes, published=True) for _ in range(4)]
    given_up = [begin(video_bytes[:9]) for _ in range(4)]
    for upload in given_up:
        grow_old(storage.root / "incoming" / upload.id)
    cleaners = [new_cleaner(context) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Cleaner.clean, cleaners))
    assert {video.id for video in rows.videos()} == {upload.id for upload in finished}
    assert rows.uploads() == []
    database.write(lambda session: session.query(Video).update({"deleted_at": now()}))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Cleaner.clean, cleaners))
    assert (files_in(storage.root), rows.videos()) == ([], [])


def test_a_form_that_is_being_received_is_left_alone_however_old_it_is(
    alice: Client,
    cleaner: Cleaner,
    storage: Files,
    rows: Rows,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sync = file_io.sync

    def grow_old_and_be_cleaned(file: Any) -> None:
        (incoming,) = (storage.root / "incoming").iterdir()
        grow_old(incoming)
        assert cleaner.clean() == {}
        sync(file)

    monkeypatch.setattr(file_io, "sync", grow_old_and_be_cleaned)
    assert send(alice, file_part(video_bytes)).status_code == 201
    assert len(rows.videos()) == 1


@pytest.mark.on_mysql
def test_a_janitor_between_publishing_and_recording_does_no_harm(
    alice: Client,
    cleaner: Cleaner,
    storage: Files,
    rows: Rows,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish = VideoStore.publish

    def publish_and_be_cleaned(self: VideoStore, upload_id: str) -> None:
        publish(self, upload_id)
        assert cleaner.clean() == {"upload finished": 1}

    monkeypatch.setattr(VideoStore, "publish", publish_and_be_cleaned)
    answer = send(alice, file_part(video_bytes))
    assert answer.status_code == 201
    assert [video.id for video in rows.videos()] == [answer.get_json()["id"]]
    assert files_in(storage.root) == [f"{answer.get_json()['id']}/original.mp4"]


@pytest.mark.on_mysql
@pytest.mark.parametrize("resumable", [False, True])
def test_an_upload_published_while_the_janitor_looks_is_never_lost(
    cleaner: Cleaner,
    storage: Files,
    begin: Begin,
    database: Database,
    rows: Rows,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
    resumable: bool,
) -> None:
    upload = begin(video_bytes)
    age(database, upload)
    if resumable:
        values = {"length": len(video_bytes), "expires_at": now() + timedelta(days=1)}
        database.write(lambda session: session.query(Upload).update(values))
    has_original = Files.has_original

    def publish_after_the_look(self: Files, video_id: str) -> bool:
        found = has_original(self, video_id)
        if not found:
            storage.publish(video_id)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Files, "has_original", publish_after_the_look)
        cleaner.clean()
    cleaner.clean()
    assert files_in(storage.root) == [f"{upload.id}/original.mp4"]
    assert [video.id for video in rows.videos()] == [upload.id]


def test_a_form_whose_record_fails_is_finished_by_the_janitor(
    alice: Client,
    cleaner: Cleaner,
    storage: Files,
    rows: Rows,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail_to_record(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(finish, "record_video", fail_to_record)
        answer = send(alice, file_part(video_bytes, "Harbour.mp4"))
    assert answer.status_code == 503
    assert cleaner.clean() == {"upload finished": 1}
    assert [video.title for video in rows.videos()] == ["Harbour"]


def test_a_volume_that_is_not_there_is_waited_for(cleaner: Cleaner, videos_dir: Path) -> None:
    (videos_dir / "incoming").rmdir()
    videos_dir.rmdir()
    with pytest.raises(StorageError, match=str(videos_dir)):
        cleaner.clean()


def test_a_stop_ends_a_pass_between_two_things(
    context: UploadContext, begin: Begin, rows: Rows, video_bytes: bytes
) -> None:
    for _ in range(3):
        begin(video_bytes, published=True)
    answers = iter([False, True, True, True])
    new_cleaner(context, stopping=lambda: next(answers)).clean()
    assert len(rows.videos()) == 1


def test_files_of_root_are_not_followed_out_of_the_volume(
    cleaner: Cleaner, storage: Files, database: Database, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "original.mp4").touch()
    (storage.root / new_id()).symlink_to(outside)
    audit(database, storage, cleanup_after=0)
    cleaner.clean()
    assert files_in(outside) == ["original.mp4"]
