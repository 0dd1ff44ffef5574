"""Finding uploads: whose they are, how far they are, and which videos are the same file."""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import MatineeError, NotFound, Unprocessable
from common.ids import is_id
from common.live import is_live
from common.translation import gettext, gettext_noop
from db import native_threads
from db.engine import transaction
from db.models import Upload, Video, now
from upload_service.uploads.context import UploadContext
from upload_service.uploads.host import arrived_bytes, is_of_this_host

_MAX_DUPLICATES = 5  # videos that are named
_SHA256 = re.compile(r"[0-9a-f]{64}")


class UploadExpired(MatineeError):
    """The upload was removed before it was complete: it expired, or its account was deleted."""

    status = 410
    sentence = gettext_noop("This upload was ended before it was complete. Start it again.")


@dataclass(frozen=True)
class UploadStatus:
    """How far an upload is.

    :ivar upload: its row, or what that was; None once it has become a video.
    :ivar offset: bytes that are durable.
    :ivar length: bytes of the whole upload, None while that is unknown.
    :ivar video: what it has become.
    :ivar parts: ids of the uploads that it is concatenated of.
    """

    upload: Upload | None
    offset: int
    length: int | None
    video: Video | None = None
    parts: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether all bytes have arrived."""
        return self.offset == self.length


@transaction(writes=False)
def find(session: Session, *, owner_id: int, upload_id: str) -> Upload | Video:
    """Return an upload that can be continued, or the video that it has become.

    :raises NotFound: there is none, or it belongs to another account.
    :raises UploadExpired: it has expired.
    """
    if not is_id(upload_id):
        raise NotFound
    upload = session.get(Upload, upload_id)
    if upload is not None and upload.expires_at is not None and upload.owner_id == owner_id:
        if upload.expires_at <= now():
            raise UploadExpired
        return upload
    video = session.get(Video, upload_id)
    if video is None or video.owner_id != owner_id or video.deleted_at is not None:
        raise NotFound
    return video


@transaction(writes=False)
def unfinished_uploads(session: Session, *, owner_id: int) -> list[Upload]:
    """Return an account's uploads that can be continued, the newest first."""
    wanted = (
        select(Upload)
        .where(Upload.owner_id == owner_id, Upload.expires_at > now())
        .order_by(Upload.created_at.desc(), Upload.id)
    )
    return list(session.scalars(wanted))


@transaction(writes=False)
def find_duplicates(
    session: Session, *, owner_id: int, sha256: str, besides: str = ""
) -> list[Video]:
    """Return an account's own videos with a checksum, the oldest first; not those in the bin.

    :param besides: the id of a video that is left out.
    :raises Unprocessable: it is not a SHA-256 in hexadecimal.
    """
    if not _SHA256.fullmatch(sha256):
        raise Unprocessable(gettext("“sha256” is 64 hexadecimal digits in lower case."))
    wanted = (
        select(Video)
        .where(
            Video.owner_id == owner_id,
            Video.sha256 == sha256,
            Video.id != besides,
            Video.binned_at.is_(None),
            is_live(),
        )
        .order_by(Video.created_at, Video.id)
        .limit(_MAX_DUPLICATES)
    )
    return list(session.scalars(wanted))


def status_of(context: UploadContext, upload_id: str) -> UploadStatus:
    """Return how far an upload is, without waiting for whoever is writing.

    :raises NotFound: the account has no such upload.
    :raises UploadExpired: it expired, or its bytes are lost.
    """
    for _ in range(3):  # it may become a video, or another host's, after its row was read
        found = find(context.database, owner_id=context.owner_id, upload_id=upload_id)
        if isinstance(found, Video):
            parts = remembered_parts(context.stores.redis, found.id)
            return UploadStatus(None, found.size, found.size, found, parts)
        parts = tuple((found.parts or "").split())
        if is_of_this_host(context.incoming, found):
            offset = native_threads.run(lambda: context.incoming.durable_size(upload_id))
            if offset is not None and not _acknowledge(context, found, offset):
                continue
        else:
            offset = arrived_bytes(context.incoming, found)
        if offset is not None:
            return UploadStatus(found, offset, found.length, parts=parts)
        if context.videos.has_original(upload_id):
            size = context.videos.original(upload_id).stat().st_size
            return UploadStatus(found, size, size, parts=parts)
    raise UploadExpired


def _acknowledge(context: UploadContext, upload: Upload, offset: int) -> bool:
    """Record bytes that nobody has recorded yet; tell whether other hosts will count them.

    A request is receiving them, or died before it could record them.
    """
    if upload.offset is None or offset <= upload.offset:
        return True
    return _raise_offset(context.database, upload=upload, offset=offset)


@transaction(writes=True)
def _raise_offset(session: Session, *, upload: Upload, offset: int) -> bool:
    row = session.get(Upload, upload.id, with_for_update=True)
    if row is None or row.fence != upload.fence:
        return False
    row.offset = max(offset, row.offset or 0)
    return True


# A video has no parts. A client may still ask what its upload was (tus, `Upload-Concat`), for as
# long as an upload can be continued; without Redis it is told of an ordinary upload.


def remember_parts(redis: Redis, upload: Upload, *, seconds: int) -> None:
    """Keep what a finished upload was concatenated of."""
    with suppress(RedisError):
        redis.set(_parts_key(upload.id), upload.parts or "", ex=seconds)


def remembered_parts(redis: Redis, upload_id: str) -> tuple[str, ...]:
    """Return what a finished upload was concatenated of, if that is known."""
    with suppress(RedisError):
        parts: Any = redis.get(_parts_key(upload_id))
        return tuple((parts or "").split())
    return ()


def _parts_key(upload_id: str) -> str:
    return f"upload-parts:{upload_id}"
