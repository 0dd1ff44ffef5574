"""Space for uploads: what the volume has, and what an account may use, reserved before the bytes.

A reservation is the `reserved` of an upload's row. Reservations are made one after the other, under
the lock of the volume's row, so that two uploads that fit alone and not together never both start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from common.errors import MatineeError
from common.formatting import filesize
from common.quota import storage_use
from common.storage import IncomingStore
from db import native_threads
from db.engine import transaction
from db.models import Upload, Volume
from upload_service.receive.body import BodyTooLarge
from upload_service.uploads.context import UploadContext

RESERVED_SPACE = 64 << 20
"""Bytes of the volume that uploads leave free: the database may share it."""

MAX_UNFINISHED = 100
"""Unfinished uploads of one account."""

_STEP = 64 << 20  # bytes by which a reservation grows while the length is unknown

T = TypeVar("T")


class InsufficientStorage(MatineeError):
    """The volume is full, or would be."""

    status = 507

    def __init__(self) -> None:
        super().__init__("There is not enough space left for this file. Tell the administrator.")


class QuotaExceeded(MatineeError):
    """The account's videos and uploads would be larger than its quota."""

    status = 413

    def __init__(self, *, remaining: int, quota: int) -> None:
        super().__init__(
            f"This file is larger than your remaining quota ({filesize(max(0, remaining))} of"
            f" {filesize(quota)}). Delete a video or an unfinished upload, or ask the"
            " administrator for more."
        )


class TooManyUnfinished(MatineeError):
    """The account has too many uploads that were not finished."""

    status = 429

    def __init__(self) -> None:
        super().__init__(
            f"You have {MAX_UNFINISHED} unfinished uploads, which is the limit."
            " Finish some or throw them away, and try again."
        )


def file_too_large(max_size: int) -> BodyTooLarge:
    """Return the error that says how large a file may be."""
    return BodyTooLarge(f"This file is too large: at most {filesize(max_size)} are taken.")


def available_bytes(incoming: IncomingStore) -> int:
    """Return how many bytes uploads may still write, those that are reserved included."""
    return max(0, incoming.free_bytes() - RESERVED_SPACE)


def lock_volume(session: Session) -> None:
    """Wait until no other transaction reserves space. The lock lasts until the transaction ends.

    The row comes with the schema. Without it nothing would be locked, so that is an error.
    """
    session.scalars(select(Volume.id).with_for_update()).one()


def require_space(
    session: Session, context: UploadContext, *, extra_bytes: int, arrived: Mapping[str, int]
) -> None:
    """Check that the account may have so many bytes more. The volume must be locked.

    :param arrived: bytes that uploads have on the disk, by id; see :func:`counting_arrived`.
    :raises QuotaExceeded: the account may not have them.
    :raises InsufficientStorage: the volume has no space, with all that is reserved.
    """
    use = storage_use(session, user_id=context.owner_id, default_quota=context.limits.quota)
    if use.quota is not None and extra_bytes > use.quota - use.used:
        raise QuotaExceeded(remaining=use.quota - use.used, quota=use.quota)
    if extra_bytes > available_bytes(context.incoming) - _outstanding(session, arrived):
        raise InsufficientStorage


def require_few_unfinished(session: Session, *, owner_id: int) -> None:
    """Check that an account may have one more unfinished upload. The volume must be locked.

    :raises TooManyUnfinished: it may not.
    """
    count = select(func.count()).select_from(Upload).where(Upload.owner_id == owner_id)
    if (session.scalar(count) or 0) >= MAX_UNFINISHED:
        raise TooManyUnfinished


def _outstanding(session: Session, arrived: Mapping[str, int]) -> int:
    """Return how many of the reserved bytes have not been written."""
    if not arrived:
        return int(session.scalar(select(func.sum(Upload.reserved))) or 0)
    rows = session.execute(select(Upload.id, Upload.reserved).where(Upload.reserved > 0))
    return sum(max(0, (reserved or 0) - arrived.get(upload_id, 0)) for upload_id, reserved in rows)


def counting_arrived(context: UploadContext, reserve: Callable[[Mapping[str, int]], T]) -> T:
    """Run a transaction that reserves space; if the volume seems full, look at the files first.

    Reservations include bytes that were written already, and only the files tell how many. They
    are looked at only when it matters, and before the volume is locked. Files only grow, so what
    was counted before the lock is never too much.

    :param reserve: gets bytes by upload id; without them every reservation counts in full.
    :raises InsufficientStorage: the volume is full.
    """
    try:
        return reserve({})
    except InsufficientStorage:
        arrived = native_threads.run(context.incoming.sizes)
        if not arrived:
            raise
        return reserve(arrived)


@transaction(writes=True)
def _extend(
    session: Session,
    *,
    context: UploadContext,
    upload_id: str,
    total_bytes: int,
    arrived: Mapping[str, int],
) -> None:
    lock_volume(session)
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None:
        return  # it was deleted, and whoever finishes it is told
    extra_bytes = total_bytes - (upload.reserved or 0)
    if extra_bytes > 0:
        require_space(session, context, extra_bytes=extra_bytes, arrived=arrived)
        upload.reserved = total_bytes


def extend_reservation(context: UploadContext, upload_id: str, total_bytes: int) -> None:
    """Reserve so many bytes altogether for an upload, unless it has them already.

    :raises QuotaExceeded: the account may not have them.
    :raises InsufficientStorage: the volume has no space.
    """
    counting_arrived(
        context,
        lambda arrived: _extend(
            context.database,
            context=context,
            upload_id=upload_id,
            total_bytes=total_bytes,
            arrived=arrived,
        ),
    )


@dataclass
class Reservation:
    """The reservation of an upload of unknown length, which grows as its bytes arrive.

    :ivar reserved: bytes so far.
    """

    context: UploadContext
    upload_id: str
    reserved: int

    def ensure(self, total_bytes: int) -> None:
        """Reserve at least so many bytes altogether.

        :raises QuotaExceeded: the account may not have them.
        :raises InsufficientStorage: the volume has no space.
        """
        if not self.reserved < total_bytes <= self.context.limits.max_size:
            return
        try:
            wanted = min(total_bytes + _STEP, self.context.limits.max_size)
            extend_reservation(self.context, self.upload_id, wanted)
            self.reserved = wanted
        except MatineeError:  # not so much at once, then
            extend_reservation(self.context, self.upload_id, total_bytes)
            self.reserved = total_bytes
