"""Uploads: bytes on their way in, and how they become a video.

What is here knows no protocol. Any way of sending begins an upload, appends bytes to its file
(`common.storage`), and finishes it. Each step leaves a state that the next one, or the janitor,
takes further, so a process may be killed between any two:

    row                      begin_upload; without bytes for too long: removed
    row, incoming file       bytes arrive; none for too long: removed
    row, file in its place   publish; the janitor goes on from here
    video, first job         record_video: the upload's row becomes these, in one transaction
"""

from functools import partial

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from common.errors import MatineeError
from common.ids import new_id
from common.job_queue import wake_workers
from common.storage import MediaStorage
from common.stores import Stores
from db import native_threads
from db.engine import DatabaseUnavailable
from db.models import Job, JobKind, Upload, Video
from upload_service.inspection import inspect
from upload_service.mp4 import NotAVideo, VideoFacts

log = structlog.get_logger()


class UploadGone(MatineeError):
    """The upload was removed while it was under way: it stood still too long, or its owner left."""

    status = 410

    def __init__(self) -> None:
        super().__init__("This upload was ended before it was complete. Start it again.")


def begin_upload(
    session: Session,
    *,
    owner_id: int,
    submission: str | None,
    title: str,
    file_name: str | None = None,
) -> Upload:
    """Announce bytes of somebody's. The row comes before the file, so that no file is without one.

    :param submission: names one sending of one form; two uploads with the same become one video.
    :param title: shown to people, 1 to 200 characters; never part of a path.
    :param file_name: what the client calls the file, cleaned; never part of a path either.
    :raises UploadGone: the owner's account has just been deleted.
    """
    upload = Upload(
        id=new_id(), owner_id=owner_id, submission=submission, title=title, file_name=file_name
    )
    session.add(upload)
    try:
        session.flush()
    except IntegrityError as error:
        raise UploadGone from error
    return upload


def finish_upload(
    stores: Stores, storage: MediaStorage, *, upload: Upload, sha256: str | None = None
) -> Video:
    """Turn a complete upload, whose bytes are synced, into a private video of its owner's.

    The bytes are checked, renamed into place, and recorded, in that order, so that a video that
    has a row has its file. A crash in between leaves the upload, and the next call finishes it.
    Called by two at once, both get the same video.

    :param sha256: of the bytes, in hexadecimal, if it is known; the janitor finds it otherwise.
    :raises NotAVideo: the bytes are not a film that can be played; they and the row are removed.
    :raises UploadGone: there is no such upload any more, and nothing of it stays.
    :raises DatabaseUnavailable: the video is there once the database is: the janitor sees to it.
    """
    try:
        size, facts = native_threads.run(lambda: _check_and_publish(storage, upload.id))
    except NotAVideo:
        abandon_upload(stores, storage, upload_id=upload.id)
        raise
    work = partial(record_video, upload=upload, size=size, facts=facts, sha256=sha256)
    with stores.videos.changing([upload.id]):
        try:
            try:
                video = stores.database.write(work)
            except IntegrityError:
                # Somebody recorded the same submission, or removed the owner, at this moment.
                video = stores.database.write(work)
        except UploadGone:
            native_threads.run(lambda: storage.drop_video(upload.id))
            raise
    if video.id != upload.id:
        abandon_upload(stores, storage, upload_id=upload.id)
    else:
        wake_workers(stores.redis)
    return video


def record_video(
    session: Session, *, upload: Upload, size: int, facts: VideoFacts, sha256: str | None
) -> Video:
    """Put a video's row in the place of its upload's, with its first job, and return it.

    Returns another video if the same submission has become one: the same form was sent twice. A
    form that was changed and sent again from the browser's history is told by its file's size.

    :raises UploadGone: the upload's row is not there any more.
    """
    row = session.get(Upload, upload.id, with_for_update=True)
    if row is None:
        recorded = session.get(Video, upload.id)
        if recorded is None:
            raise UploadGone
        return recorded
    submission = upload.submission
    earlier = _video_of_submission(session, owner_id=row.owner_id, submission=submission)
    if earlier is not None:
        if earlier.deleted_at is None and earlier.size == size:
            return earlier
        submission = None
    video = Video(
        id=row.id,
        owner_id=row.owner_id,
        submission=submission,
        title=upload.title,
        size=size,
        duration_ms=facts.duration_ms,
        width=facts.width,
        height=facts.height,
        video_codec=facts.video_codec,
        audio_codec=facts.audio_codec,
        file_name=row.file_name,
        sha256=sha256,
        container=facts.container,
        playable=facts.playable,
    )
    session.add(video)
    session.flush()  # the job's row refers to the video's
    session.add(Job(video_id=video.id, kind=JobKind.CHECK))
    session.delete(row)
    return video


def abandon_upload(stores: Stores, storage: MediaStorage, *, upload_id: str) -> None:
    """Remove an upload that has not become a video: its bytes, then its row.

    With the database away the row stays, and the janitor removes it.
    """
    native_threads.run(lambda: storage.drop_incoming(upload_id))
    try:
        stores.database.write(partial(_discard, storage=storage, upload_id=upload_id))
    except DatabaseUnavailable as error:
        log.warning("an upload's row stays for the janitor", upload=upload_id, detail=str(error))


def _discard(session: Session, *, storage: MediaStorage, upload_id: str) -> None:
    # The lock keeps everybody from recording this upload while bytes in their final place go.
    # Removing them in the transaction is harmless however often it is run again.
    row = session.get(Upload, upload_id, with_for_update=True)
    if session.get(Video, upload_id) is None:
        storage.drop_video(upload_id)
    if row is not None:
        session.delete(row)


def _check_and_publish(storage: MediaStorage, upload_id: str) -> tuple[int, VideoFacts]:
    """Check the bytes where they are, and move them to their place unless they are there."""
    try:
        with storage.open_incoming(upload_id) as file:
            size = file.seek(0, 2)
            facts = inspect(file, size=size, formats=storage.formats)
        storage.publish(upload_id)
    except FileNotFoundError:
        try:
            with storage.open_original(upload_id) as file:
                size = file.seek(0, 2)
                return size, inspect(file, size=size, formats=storage.formats)
        except FileNotFoundError as error:
            raise UploadGone from error
    return size, facts


def _video_of_submission(
    session: Session, *, owner_id: int, submission: str | None
) -> Video | None:
    if submission is None:
        return None
    wanted = select(Video).where(Video.owner_id == owner_id, Video.submission == submission)
    return session.scalars(wanted).one_or_none()
