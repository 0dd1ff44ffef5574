"""Finishing an upload: every step can be the last before a crash, and every race has one winner."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.client import Pipeline
from redis.exceptions import RedisError

from common import job_queue
from common.ids import new_id
from common.storage import file_io
from common.stores import Stores
from db.engine import Database, DatabaseUnavailable
from db.models import JobKind, JobState, Upload, Video, now
from tests.upload_service.conftest import Files, Rows, files_in
from upload_service.inspect import NotAVideo
from upload_service.uploads.context import UploadContext
from upload_service.uploads.create import NewUpload, create_upload
from upload_service.uploads.delete import abandon_upload
from upload_service.uploads.finish import finish_upload
from upload_service.uploads.queries import UploadExpired

pytestmark = pytest.mark.on_mysql


@pytest.fixture
def arrive(context: UploadContext, storage: Files) -> Any:
    """Take in a complete upload."""

    def arrive(content: bytes, submission: str | None = None) -> Upload:
        new = NewUpload(length=len(content), title="Harbour", submission=submission)
        upload = create_upload(context, new)
        with storage.open_for_appending(upload.id) as file:
            file_io.append(file, content)
            file_io.sync(file)
        return upload

    return arrive


def test_an_uploads_id_becomes_its_videos(
    context: UploadContext, storage: Files, rows: Rows, arrive: Any, video_bytes: bytes
) -> None:
    upload = arrive(video_bytes)
    video = finish_upload(context, upload)
    assert (video.id, video.title) == (upload.id, "Harbour")
    assert files_in(storage.root) == [f"{upload.id}/original.mp4"]
    assert rows.uploads() == []


def test_a_new_video_has_its_first_job_and_a_worker_is_woken(
    context: UploadContext, storage: Files, rows: Rows, arrive: Any, video_bytes: bytes
) -> None:
    video = finish_upload(context, arrive(video_bytes))
    finish_upload(context, Upload(id=video.id, owner_id=1, title="again"))
    [job] = rows.jobs()
    assert (job.video_id, job.kind, job.state) == (video.id, JobKind.CHECK, JobState.WAITING)
    assert context.stores.redis.llen(job_queue.WAKE_KEY) >= 1


def test_a_worker_that_cannot_be_woken_finds_the_job_later(
    context: UploadContext,
    stores: Stores,
    storage: Files,
    rows: Rows,
    arrive: Any,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RedisError("away")

    monkeypatch.setattr(Pipeline, "lpush", refuse)
    finish_upload(context, arrive(video_bytes))
    assert len(rows.jobs()) == 1


def test_finishing_twice_gives_the_same_video(
    context: UploadContext, storage: Files, rows: Rows, arrive: Any, video_bytes: bytes
) -> None:
    upload = arrive(video_bytes)
    finish_upload(context, upload)
    assert finish_upload(context, upload).id == upload.id
    assert len(rows.videos()) == 1


def test_many_finishers_of_one_upload_get_one_video(
    context: UploadContext, storage: Files, rows: Rows, arrive: Any, video_bytes: bytes
) -> None:
    upload = arrive(video_bytes)
    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(finish_upload, context, upload) for _ in range(6)]
        assert {future.result().id for future in futures} == {upload.id}
    assert [video.id for video in rows.videos()] == [upload.id]
    assert files_in(storage.root) == [f"{upload.id}/original.mp4"]


def test_many_uploads_of_one_submission_become_one_video(
    context: UploadContext, storage: Files, rows: Rows, arrive: Any, video_bytes: bytes
) -> None:
    submission = new_id()
    uploads = [arrive(video_bytes, submission) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(finish_upload, context, one) for one in uploads]
        (video_id,) = {future.result().id for future in futures}
    assert [video.id for video in rows.videos()] == [video_id]
    assert files_in(storage.root) == [f"{video_id}/original.mp4"]
    assert rows.uploads() == []


def test_a_submission_whose_video_was_deleted_becomes_a_new_one(
    context: UploadContext, database: Database, arrive: Any, video_bytes: bytes
) -> None:
    submission = new_id()
    first = finish_upload(context, arrive(video_bytes, submission))

    def delete(session: Any) -> None:
        session.get(Video, first.id).deleted_at = now()

    database.write(delete)
    second = finish_upload(context, arrive(video_bytes, submission))
    assert second.id != first.id


def test_what_is_no_video_goes_with_its_row(
    context: UploadContext, storage: Files, rows: Rows, arrive: Any
) -> None:
    with pytest.raises(NotAVideo):
        finish_upload(context, arrive(b"words"))
    assert (files_in(storage.root), rows.uploads()) == ([], [])


def test_an_upload_that_was_given_up_cannot_be_finished(
    context: UploadContext, storage: Files, rows: Rows, arrive: Any, video_bytes: bytes
) -> None:
    upload = arrive(video_bytes)
    abandon_upload(context, upload.id)
    with pytest.raises(UploadExpired):
        finish_upload(context, upload)
    assert (files_in(storage.root), rows.videos()) == ([], [])


def test_an_upload_given_up_between_publishing_and_recording_leaves_nothing(
    context: UploadContext, storage: Files, rows: Rows, arrive: Any, video_bytes: bytes
) -> None:
    upload = arrive(video_bytes)
    storage.publish(upload.id)
    context.database.write(lambda session: session.query(Upload).delete())
    with pytest.raises(UploadExpired):
        finish_upload(context, upload)
    assert (files_in(storage.root), rows.videos()) == ([], [])


def test_giving_up_a_video_does_nothing(
    context: UploadContext, storage: Files, rows: Rows, arrive: Any, video_bytes: bytes
) -> None:
    upload = arrive(video_bytes)
    finish_upload(context, upload)
    abandon_upload(context, upload.id)
    assert files_in(storage.root) == [f"{upload.id}/original.mp4"]
    assert len(rows.videos()) == 1


@pytest.mark.parametrize("problem", [DatabaseUnavailable("away"), RedisError("away")])
def test_a_store_that_goes_away_at_the_end_costs_nothing(
    context: UploadContext,
    stores: Stores,
    storage: Files,
    rows: Rows,
    arrive: Any,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
) -> None:
    upload = arrive(video_bytes)
    where = Database if isinstance(problem, DatabaseUnavailable) else type(stores.videos)
    with monkeypatch.context() as patch:

        def fail(*_: Any) -> None:
            raise problem

        patch.setattr(where, "write" if where is Database else "changing", fail)
        with pytest.raises(type(problem)):
            finish_upload(context, upload)
    assert finish_upload(context, upload).id == upload.id
    assert files_in(storage.root) == [f"{upload.id}/original.mp4"]


def test_an_upload_of_a_deleted_account_is_not_created(context: UploadContext) -> None:
    deleted = replace(context, owner_id=context.owner_id + 1)
    with pytest.raises(UploadExpired):
        create_upload(deleted, NewUpload(length=1, title="x"))


def test_a_video_that_was_asked_for_too_early_can_be_watched_at_once(
    context: UploadContext, stores: Stores, arrive: Any, video_bytes: bytes
) -> None:
    upload = arrive(video_bytes)
    assert stores.videos.resolve(upload.id, None, lambda _: None) is None
    finish_upload(context, upload)
    key = f"video:{upload.id}"
    assert stores.redis.get(key) is None


def test_publishing_leaves_what_was_written_readable_from_its_place(
    storage: Files, arrive: Any, video_bytes: bytes, tmp_path: Path
) -> None:
    upload = arrive(video_bytes)
    storage.publish(upload.id)
    with storage.open_original(upload.id) as file:
        assert file.read() == video_bytes
    with pytest.raises(FileNotFoundError):
        storage.publish(upload.id)
