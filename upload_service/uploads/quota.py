"""Space for uploads: what the volume has, and what an account may use, reserved before the bytes.

A reservation is the `reserved` of an upload's row. Reservations are made one after the other, under
the lock of the volume's row, so that two uploads that fit alone and not together never both start.
"""

from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from common.errors import MatineeError
from common.formatting import filesize
from common.quota import storage_use
from common.storage import RESERVED_SPACE, IncomingStore
from common.translation import gettext, gettext_noop
from db.engine import transaction
from db.models import Upload, Volume
from upload_service.receive.body import BodyTooLarge
from upload_service.uploads.context import UploadContext

MAX_UNFINISHED = 100  # unfinished uploads of one account
_STEP = 64 << 20  # bytes by which a reservation grows while the length is unknown


class InsufficientStorage(MatineeError):
    """The volume is full, or would be."""

    status = 507
    sentence = gettext_noop("There is not enough space left for this file. Tell the administrator.")


class QuotaExceeded(MatineeError):
    """The account's videos and uploads would be larger than its quota."""

    status = 413

    def __init__(self, *, remaining: int, quota: int, binned: int = 0) -> None:
        sizes = {"left": filesize(max(0, remaining)), "quota": filesize(quota)}
        if binned:
            sentence = gettext(
                "This file is larger than your remaining quota (%(left)s of %(quota)s). Empty "
                "your bin (%(binned)s), delete a video or an unfinished upload, or ask the "
                "administrator for more.",
                binned=filesize(binned),
                **sizes,
            )
        else:
            sentence = gettext(
                "This file is larger than your remaining quota (%(left)s of %(quota)s). Delete a "
                "video or an unfinished upload, or ask the administrator for more.",
                **sizes,
            )
        super().__init__(sentence)


class TooManyUnfinished(MatineeError):
    """The account has too many uploads that were not finished."""

    status = 429

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "You have %(max_unfinished)s unfinished uploads, which is the limit. Finish "
                "some or discard them, and try again.",
                max_unfinished=MAX_UNFINISHED,
            )
        )


def file_too_large(max_size: int) -> BodyTooLarge:
    """Return the error that says how large a file may be."""
    return BodyTooLarge(
        gettext(
            "This file is too large: at most %(max_size)s are taken.", max_size=filesize(max_size)
        )
    )


def require_size(context: UploadContext, size: int) -> None:
    """Check that a file may be so large.

    :raises BodyTooLarge: it may not.
    """
    if size > context.settings.max_upload_size:
        raise file_too_large(context.settings.max_upload_size)


def available_bytes(incoming: IncomingStore) -> int:
    """Return how many bytes uploads may still write, those that are reserved included."""
    return max(0, incoming.free_bytes() - RESERVED_SPACE)


def lock_volume(session: Session) -> None:
    """Wait until no other transaction reserves space. The lock lasts until the transaction ends.

    The row comes with the schema. Without it nothing would be locked, so that is an error.
    """
    session.scalars(select(Volume.id).with_for_update()).one()


def require_space(
    session: Session, context: UploadContext, *, extra_bytes: int, on_disk: bool
) -> None:
    """Check that the account may have so many bytes more. The volume must be locked.

    :param on_disk: whether they come to the volume.
    :raises QuotaExceeded: the account may not have them.
    :raises InsufficientStorage: the volume has no space, with all that is reserved.
    """
    default_quota = context.stores.site.load(session).quota
    use = storage_use(session, user_id=context.owner_id, default_quota=default_quota)
    if use.quota is not None and extra_bytes > use.quota - use.used:
        raise QuotaExceeded(remaining=use.quota - use.used, quota=use.quota, binned=use.binned)
    if not on_disk:
        return
    here = Upload.part_size.is_(None)
    reserved = session.scalar(select(func.sum(Upload.reserved)).where(here)) or 0
    if extra_bytes <= available_bytes(context.incoming) - reserved:
        return
    # Reservations include bytes that were written already, and only the files tell how many. Files
    # only grow, so what is counted before the free space is never too much.
    arrived = context.incoming.sizes()
    rows = session.execute(select(Upload.id, Upload.reserved).where(Upload.reserved > 0, here))
    outstanding = sum(max(0, (size or 0) - arrived.get(one, 0)) for one, size in rows)
    if extra_bytes > available_bytes(context.incoming) - outstanding:
        raise InsufficientStorage


def require_few_unfinished(session: Session, *, owner_id: int) -> None:
    """Check that an account may have one more unfinished upload. The volume must be locked.

    :raises TooManyUnfinished: it may not.
    """
    count = select(func.count()).select_from(Upload).where(Upload.owner_id == owner_id)
    if (session.scalar(count) or 0) >= MAX_UNFINISHED:
        raise TooManyUnfinished


@transaction(writes=True)
def extend_reservation(
    session: Session, *, context: UploadContext, upload_id: str, total_bytes: int
) -> None:
    """Reserve so many bytes altogether for an upload, unless it has them already.

    :raises QuotaExceeded, InsufficientStorage: as for :func:`require_space`.
    """
    lock_volume(session)
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None:
        return  # it was deleted, and whoever finishes it is told
    extra_bytes = total_bytes - (upload.reserved or 0)
    if extra_bytes > 0:
        require_space(session, context, extra_bytes=extra_bytes, on_disk=upload.part_size is None)
        upload.reserved = total_bytes


def reserve_ahead(context: UploadContext, upload_id: str, total_bytes: int) -> int:
    """Reserve as :func:`extend_reservation`, and some more if there is space; return how many."""
    wanted = min(total_bytes + _STEP, context.settings.max_upload_size)
    reserve = partial(extend_reservation, context.database, context=context, upload_id=upload_id)
    try:
        reserve(total_bytes=wanted)
    except MatineeError:
        wanted = total_bytes
        reserve(total_bytes=wanted)
    return wanted
