"""What is removed from the object store, and what is not; and the janitor where there is one."""

import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from common.settings import SettingsError
from common.storage import VideoStore, objects
from common.storage.errors import StoreUnavailable
from common.storage.s3 import S3Store
from common.storage.store_settings import Store, StoreSettings
from db.models import Video, now
from tests.upload_service.conftest import HOUR, Files
from tests.upload_service.moving import MovingSite, sha256
from tests.waiting import wait_until
from upload_service.janitor.__main__ import run
from upload_service.janitor.audit import audit
from upload_service.janitor.checksum_backfill import ChecksumBackfill
from upload_service.janitor.cleanup import Cleaner
from upload_service.mover.threads import start_mover
from upload_service.settings import UploadSettings
from upload_service.uploads.context import UploadContext

FILES = {"original.mp4": b"the original", "poster.jpg": b"a poster"}


@pytest.fixture
def moved(moving: MovingSite) -> str:
    """A video whose files are in the store alone."""
    video_id = moving.add_video(FILES)
    for _ in range(2):
        moving.duty().work()
    assert moving.on_disk(video_id) == []
    return video_id


def janitor(context: UploadContext, moving: MovingSite, *, s3: bool) -> Cleaner:
    store = StoreSettings(Store.DISK, moving.settings if s3 else None)
    settings = replace(context.settings, store=store)
    return Cleaner(context.stores, context.incoming, context.videos, settings)


@pytest.mark.on_mysql
@pytest.mark.parametrize("values", [{"deleted_at": now()}, {"owner_id": None}])
def test_a_deleted_video_goes_with_its_objects(
    moving: MovingSite, moved: str, context: UploadContext, values: dict[str, object]
) -> None:
    begun = objects.begin(moving.database, video_id=moved, name="hls/720p.mp4")
    moving.store.put(begun.key, b"half")
    moving.change(moved, **values)
    cleaner = janitor(context, moving, s3=True)
    assert cleaner.clean() == {}
    assert moving.cleaner(grace=timedelta(hours=1)).clean() == {
        "object of a deleted video removed": 3
    }
    assert cleaner.clean() == {"video removed": 1}
    moving.assert_tidy()


def test_a_deleted_video_waits_for_an_object_store_that_is_not_set(
    moving: MovingSite, moved: str, context: UploadContext
) -> None:
    moving.change(moved, deleted_at=now())
    with capture_logs() as logs:
        assert janitor(context, moving, s3=False).clean() == {}
    [error] = [line for line in logs if line["log_level"] == "error"]
    assert "S3_BUCKET is not set" in error["detail"]
    assert len(moving.rows(moved)) == 2


def test_an_object_that_is_all_that_is_left_is_kept(moving: MovingSite, moved: str) -> None:
    moving.database.write(
        lambda session: objects.retire(session, video_id=moved, names=["original.mp4"])
    )
    cleaner = moving.cleaner(grace=timedelta(minutes=1))
    moving.let_time_pass()
    with capture_logs() as logs:
        assert cleaner.clean() == {}
        assert cleaner.clean() == {}  # it is not asked about each time
    assert [line["key"] for line in logs] == [
        row.key for row in moving.rows(moved) if row.name == "original.mp4"
    ]
    moving.write(moved, "original.mp4", FILES["original.mp4"])
    moving.let_time_pass()
    assert cleaner.clean() == {"object removed": 1}
    moving.assert_tidy()


def test_an_object_that_somebody_writes_is_left_alone(moving: MovingSite, moved: str) -> None:
    begun = objects.begin(moving.database, video_id=moved, name="hls/720p.mp4")
    moving.let_time_pass(timedelta(minutes=59))
    assert moving.cleaner().clean() == {}
    objects.renew(moving.database, object_id=begun.id)
    moving.let_time_pass(timedelta(minutes=59))
    assert moving.cleaner().clean() == {}
    moving.let_time_pass(timedelta(minutes=2))
    assert moving.cleaner().clean() == {"object removed": 1}


def test_bytes_that_come_after_their_row_was_removed_go_too(moving: MovingSite, moved: str) -> None:
    begun = objects.begin(moving.database, video_id=moved, name="hls/720p.mp4")
    moving.files.remove(begun)
    moving.store.put(begun.key, b"late")
    assert moving.files.remove(begun)
    moving.assert_tidy()


def test_unfinished_uploads_without_a_row_are_aborted_in_time(
    moving: MovingSite, moved: str
) -> None:
    begun = objects.begin(moving.database, video_id=moved, name="hls/720p.mp4")
    moving.store.begin_multipart(begun.key)
    moving.store.begin_multipart(f"{moved}/0123456789abcdef/hls/360p.mp4")
    assert moving.cleaner().clean() == {}
    now_old = replace(moving.cleaner(), expires=timedelta(0))
    wait_until(lambda: now_old.clean() or now_old.clean(), what="the next second")
    assert [upload.key for upload in moving.store.list_multiparts("")] == [begun.key]


def test_a_store_that_is_away_is_not_asked_for_each_object(
    moving: MovingSite, moved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fail(_store: S3Store, key: str) -> None:
        asked.append(key)
        raise StoreUnavailable("gone")

    moving.change(moved, deleted_at=now())
    cleaner = moving.cleaner()
    with monkeypatch.context() as patch:
        patch.setattr(S3Store, "delete", fail)
        assert cleaner.clean() == {}
        assert cleaner.clean() == {}
    assert len(asked) == 1
    assert len(moving.rows(moved)) == 2
    assert moving.cleaner().clean() == {"object of a deleted video removed": 2}


def test_an_original_in_the_store_is_not_missing(
    moving: MovingSite, moved: str, storage: Files
) -> None:
    lost = moving.add_video(FILES)
    (moving.disk.root / lost / "original.mp4").unlink()
    assert audit(moving.database, storage, cleanup_after=HOUR).missing_originals == [lost]


def test_a_checksum_is_taken_from_the_object(moving: MovingSite, moved: str) -> None:
    moving.change(moved, sha256=None)
    videos = VideoStore(moving.disk.root)
    assert ChecksumBackfill(moving.database, videos).work() == 1
    video = moving.database.read(lambda session: session.get_one(Video, moved))
    assert video.sha256 == sha256(FILES["original.mp4"])


def test_the_janitor_moves_and_cleans_until_it_is_told_to_stop(
    moving: MovingSite, context: UploadContext, tmp_path: Path
) -> None:
    deleted = moving.add_video(FILES)
    moving.duty().work()
    moving.change(deleted, deleted_at=now())
    video_id = moving.add_video(FILES)
    settings = replace(
        context.settings, store=StoreSettings(Store.S3, moving.settings), move_grace=1
    )
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(settings, stop), kwargs={"interval": 0.05})
    thread.start()
    try:
        wait_until(lambda: moving.on_disk(video_id) == [], what="the move")
        wait_until(lambda: moving.rows(deleted) == [], what="the removal")
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
    assert {name: moving.read(video_id, name) for name in FILES} == FILES


def test_of_two_janitors_one_moves_and_the_other_takes_over(
    moving: MovingSite, context: UploadContext
) -> None:
    settings = replace(
        context.settings, store=StoreSettings(Store.S3, moving.settings), move_grace=3600
    )
    stops = [threading.Event() for _ in range(2)]
    first = start_mover(settings, moving.stores, stops[0], interval=0.05)
    one = moving.add_video(FILES)
    wait_until(lambda: len(moving.current(one)) == len(FILES), what="the first")
    second = start_mover(settings, moving.stores, stops[1], interval=0.05)
    stops[0].set()
    for thread in first:
        thread.join(30)
    other = moving.add_video(FILES)
    wait_until(lambda: len(moving.current(other)) == len(FILES), what="the second")
    stops[1].set()
    for thread in second:
        thread.join(30)


def test_a_mover_whose_duty_another_has_begins_no_file(moving: MovingSite) -> None:
    moving.add_video(FILES)
    answers = iter([True, True, False])
    duty = replace(moving.duty(), is_mine=lambda: next(answers))
    assert duty.work() == {"file moved": 1}


def test_a_store_without_boto3_is_named(
    moving: MovingSite, context: UploadContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "common.storage.s3", None)
    settings: UploadSettings = replace(
        context.settings, store=StoreSettings(Store.S3, moving.settings)
    )
    with pytest.raises(SettingsError, match="boto3"):
        run(settings, threading.Event())
