"""Finding uploads that can be continued: whose they are, and where they stand."""

from dataclasses import dataclass
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import Conflict, NotFound
from common.ids import is_id
from common.storage import MediaStorage
from common.stores import Stores
from db import native_threads
from db.models import Upload, Video, now
from upload_service.uploads import UploadGone


class WrongOffset(Conflict):
    """The bytes would not begin where the file ends."""

    def __init__(self) -> None:
        super().__init__("These bytes do not begin where the upload ends. Ask for its offset.")


@dataclass(frozen=True)
class Standing:
    """Where an upload stands.

    :ivar upload: its row, or what it was while it was one; None once it has become a video.
    :ivar offset: bytes that are safe.
    :ivar video: what it has become.
    """

    upload: Upload | None
    offset: int
    length: int | None
    video: Video | None = None


def standing_of(
    stores: Stores, storage: MediaStorage, *, owner_id: int, upload_id: str
) -> Standing:
    """Tell where an upload stands, at once, whoever is writing.

    :raises NotFound: there is none of this owner's.
    :raises UploadGone: it expired, or its bytes are lost.
    """
    found = stores.database.read(partial(find, owner_id=owner_id, upload_id=upload_id))
    if isinstance(found, Video):
        return Standing(None, found.size, found.size, found)
    offset = native_threads.run(lambda: storage.durable_size(upload_id))
    if offset is not None:
        return Standing(found, offset, found.length)
    if storage.has_original(upload_id):
        size = storage.original(upload_id).size
        return Standing(found, size, size)
    # It may have become a video since its row was read.
    again = stores.database.read(partial(find, owner_id=owner_id, upload_id=upload_id))
    if isinstance(again, Video):
        return Standing(None, again.size, again.size, again)
    raise UploadGone


def find(session: Session, *, owner_id: int, upload_id: str) -> Upload | Video:
    """Return an upload that can be continued, or the video that it has become.

    :raises NotFound: there is none, or not of this owner's.
    :raises UploadGone: it has expired.
    """
    if not is_id(upload_id):
        raise NotFound
    upload = session.get(Upload, upload_id)
    if upload is not None and upload.expires_at is not None and upload.owner_id == owner_id:
        if upload.expires_at <= now():
            raise UploadGone
        return upload
    video = session.get(Video, upload_id)
    if video is None or video.owner_id != owner_id or video.deleted_at is not None:
        raise NotFound
    return video


def unfinished(session: Session, *, owner_id: int) -> list[Upload]:
    """Return somebody's uploads that can be continued, the newest first."""
    wanted = (
        select(Upload)
        .where(Upload.owner_id == owner_id, Upload.expires_at > now())
        .order_by(Upload.created_at.desc(), Upload.id)
    )
    return list(session.scalars(wanted))
