"""Room: what the disk has, and what a user may take, promised before the first byte arrives.

A promise is the `reserved` of an upload's row. All promises are made one after the other, under
the lock of the volume's row, so that two uploads that fit alone and not together never both start.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import MatineeError
from common.formatting import filesize
from common.quota import storage_use
from common.storage import MediaStorage
from db.models import Upload, Volume
from upload_service.body import BodyTooLarge

RESERVE = 64 << 20
"""Bytes of the volume that uploads leave free: the database may share it."""


@dataclass(frozen=True)
class Limits:
    """What an upload may take.

    :ivar max_size: bytes of one file.
    :ivar quota: bytes of one user's videos and uploads, unless the user has another; None is any.
    :ivar expires: seconds without a new byte for which an upload can be continued.
    """

    max_size: int
    quota: int | None
    expires: int


class NoRoom(MatineeError):
    """The volume is full, or would be."""

    status = 507

    def __init__(self) -> None:
        super().__init__("There is not enough room left for this file. Tell the administrator.")


class OverQuota(MatineeError):
    """The user's videos would weigh more than they may."""

    status = 413

    def __init__(self, *, left: int, quota: int) -> None:
        super().__init__(
            f"This file does not fit: {filesize(max(0, left))} of your {filesize(quota)} are left."
            " Delete a video or an unfinished upload, or ask the administrator for more."
        )


def file_too_large(limit: int) -> BodyTooLarge:
    """Say how large a file may be."""
    return BodyTooLarge(f"This file is too large: at most {filesize(limit)} are taken.")


def room(storage: MediaStorage) -> int:
    """Return how many bytes uploads may still take, those that have been promised included."""
    return max(0, storage.free_bytes() - RESERVE)


def lock_volume(session: Session) -> None:
    """Wait until nobody else promises room. It lasts until the transaction ends.

    The row comes with the schema. Without it nothing would be locked, so that is a fault.
    """
    session.scalars(select(Volume.id).with_for_update()).one()


def require_room(
    session: Session,
    storage: MediaStorage,
    *,
    owner_id: int,
    more: int,
    quota: int | None,
) -> None:
    """See to it that an owner may have so many bytes more. The volume must be locked.

    :param quota: of users without their own.
    :raises OverQuota: the user may not have them.
    :raises NoRoom: the volume has none, with all that was promised to unfinished uploads.
    """
    use = storage_use(session, user_id=owner_id, default_quota=quota)
    if use.quota is not None and more > use.quota - use.used:
        raise OverQuota(left=use.quota - use.used, quota=use.quota)
    if more > room(storage) - _promised(session, storage):
        raise NoRoom


def _promised(session: Session, storage: MediaStorage) -> int:
    """Return how many bytes unfinished uploads may still write."""
    rows = session.execute(select(Upload.id, Upload.reserved).where(Upload.reserved > 0))
    missing = 0
    for upload_id, reserved in rows:
        arrived = storage.incoming_size(upload_id)
        # Without a file it has either not begun, or is in its place, complete.
        if arrived is None and storage.has_original(upload_id):
            continue
        missing += max(0, (reserved or 0) - (arrived or 0))
    return missing


def reserve_more(
    session: Session, storage: MediaStorage, *, upload_id: str, total: int, quota: int | None
) -> None:
    """Promise an upload so many bytes altogether, if it has not got the promise already.

    :raises OverQuota: the owner may not have them.
    :raises NoRoom: the volume has none.
    """
    lock_volume(session)
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None:
        return
    more = total - (upload.reserved or 0)
    if more > 0:
        require_room(session, storage, owner_id=upload.owner_id, more=more, quota=quota)
        upload.reserved = total
