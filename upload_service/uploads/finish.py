"""Finishing uploads: complete bytes become a video.

Each step leaves a state from which the next request, or the janitor, continues. So a process may
be killed between any two:

    row                        create_upload; expires
    row and incoming file      bytes arrive; expires
    row and original           publish or seal; the janitor continues from here
    video and its first job    record_video: the upload's row becomes these, in one transaction
"""

from dataclasses import asdict, dataclass
from functools import partial

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from common.job_queue import wake_workers
from common.storage import objects
from db import native_threads
from db.engine import transaction
from db.models import Job, JobKind, Upload, User, Video, Visibility
from upload_service.inspect import NotAVideo, VideoInfo, inspect_file
from upload_service.upload_bytes.sealed import drop_tails, open_sealed, seal
from upload_service.upload_bytes.store import naming_store_errors
from upload_service.uploads.checksums import checksums
from upload_service.uploads.context import UploadContext
from upload_service.uploads.delete import abandon_upload
from upload_service.uploads.intent import Intent, apply_intent
from upload_service.uploads.queries import UploadExpired, UploadStatus

log = structlog.get_logger()


def finish_if_complete(context: UploadContext, upload: Upload, size: int) -> UploadStatus:
    """Turn an upload into a video if it has all its bytes, and return its status.

    :param size: bytes that it has, synced.
    :raises NotAVideo: it is complete, and cannot be played; it is gone.
    """
    if size != upload.length or upload.is_part:
        return UploadStatus(upload, size, upload.length)
    video = finish_upload(context, upload)
    return UploadStatus(upload, video.size, video.size, video)


def finish_upload(context: UploadContext, upload: Upload) -> Video:
    """Turn a complete upload, whose bytes are synced, into a video of its owner's.

    The bytes are checked, renamed into place, and recorded, in that order, so that a video that
    has a row has its file. A crash in between leaves the upload, and the next call finishes it.
    Two calls at once return the same video. Its checksum is recorded if this process knows it;
    else the janitor computes it.

    :raises NotAVideo: the bytes are not a video that can be played; they and the row are removed.
    :raises UploadExpired: there is no such upload any more, and nothing of it stays.
    :raises StoreAway, DatabaseUnavailable: the janitor finishes the upload later.
    """
    try:
        found = _check_and_publish(context, upload)
    except NotAVideo:
        abandon_upload(context, upload.id, published=True)
        raise
    sha256 = checksums.pop(upload.id, found.size, fence=upload.fence)
    visibility = context.stores.site.current().visibility
    record = partial(record_video, context.database, upload=upload, published=found, sha256=sha256)
    with context.stores.videos.changing([upload.id]):
        try:
            try:
                video = record(visibility=visibility)
            except IntegrityError:  # the same submission was recorded, or the account deleted, now
                video = record(visibility=visibility)
        except UploadExpired:
            native_threads.run(lambda: context.videos.drop_video(upload.id))
            raise
    if video.id != upload.id:
        abandon_upload(context, upload.id, published=True)
    else:
        wake_workers(context.stores.redis)
        if found.key is not None:
            drop_tails(context, upload.id, keep=found.key)
    return video


@dataclass(frozen=True)
class Published:
    """A file that is in its place."""

    size: int
    facts: VideoInfo
    key: str | None = None  # in the object store


@transaction(writes=True)
def record_video(
    session: Session,
    *,
    upload: Upload,
    published: Published,
    sha256: str | None,
    visibility: Visibility = Visibility.PRIVATE,
) -> Video:
    """Put a video's row in the place of its upload's, with its first job, and return it.

    What its owner wanted of it meanwhile is applied (`upload_service.uploads.intent`).

    Return another video if the same submission has become one: the form was sent twice. A form
    that was changed and sent again from the browser's history is recognised by its file's size.

    :raises UploadExpired: the upload's row is not there any more.
    """
    row = session.get(Upload, upload.id, with_for_update=True)
    if row is None:
        recorded = session.get(Video, upload.id)
        if recorded is None:
            raise UploadExpired
        return recorded
    if published.key not in (None, row.multipart_key, row.tail_key):
        raise UploadExpired  # it is being removed
    submission = upload.submission
    same = select(Video).where(Video.owner_id == row.owner_id, Video.submission == submission)
    if submission and (earlier := session.scalars(same).one_or_none()):
        if earlier.deleted_at is None and earlier.size == published.size:
            return earlier
        submission = None
    # A form's fields come with its bytes, and are on the object. What was edited while a resumable
    # upload arrived is in the row.
    said = row if row.expires_at is not None else upload
    video = Video(
        id=row.id,
        owner_id=row.owner_id,
        submission=submission,
        title=said.title,
        size=published.size,
        file_name=row.file_name,
        sha256=sha256,
        visibility=visibility,
        **asdict(published.facts),
    )
    session.add(video)
    session.flush()  # the other rows refer to the video's
    if published.key is not None:
        objects.add_original(
            session, video_id=video.id, key=published.key, size=published.size, sha256=sha256
        )
    session.add(Job(video_id=video.id, kind=JobKind.CHECK))
    owner = session.get(User, row.owner_id)
    if said.intent is not None and owner is not None:
        apply_intent(session, video, Intent.read(said.intent), owner=owner)
    session.delete(row)
    return video


def _check_and_publish(context: UploadContext, upload: Upload) -> Published:
    if upload.part_size is None:
        return native_threads.run(lambda: _publish(context, upload.id))
    sealed = seal(context, upload.id)
    with naming_store_errors(upload.id), open_sealed(context, sealed) as file:
        facts = inspect_file(file, size=sealed.size, formats=context.settings.formats)
    return Published(sealed.size, facts, sealed.key)


def _publish(context: UploadContext, upload_id: str) -> Published:
    """Check the bytes where they are, and move them to their place unless they are there."""
    formats = context.settings.formats
    try:
        with context.incoming.open_incoming(upload_id) as file:
            size = file.seek(0, 2)
            facts = inspect_file(file, size=size, formats=formats)
        context.videos.publish(upload_id)
    except FileNotFoundError:
        try:
            with context.videos.open_original(upload_id) as file:
                size = file.seek(0, 2)
                return Published(size, inspect_file(file, size=size, formats=formats))
        except FileNotFoundError as error:
            raise UploadExpired from error
    return Published(size, facts)
