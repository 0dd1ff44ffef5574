"""The rows of uploads in the object store: which parts count, and which tail.

Whoever changes them holds the upload's lease. So what counts is what one host after the other has
recorded, whatever the others still send to the store. Functions that take a lease raise what
:func:`upload_service.uploads.lease.held` raises.
"""

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.engine import transaction
from db.models import Upload, UploadPart, now
from upload_service.uploads.lease import Lease, held


@dataclass(frozen=True)
class StoredBytes:
    """An upload in the store."""

    upload: Upload
    parts: list[tuple[int, str]]  # the number and the ETag of each, in their order


@transaction(writes=False)
def is_in_store(session: Session, *, upload_id: str) -> bool:
    """Tell whether an upload has a row, and its bytes are in the store."""
    return session.scalar(select(Upload.part_size).where(Upload.id == upload_id)) is not None


@transaction(writes=False)
def stored_bytes(session: Session, *, upload_id: str) -> StoredBytes | None:
    """Return what counts of an upload, or None if it has no row, or is on the disk."""
    upload = session.get(Upload, upload_id)
    if upload is None or upload.part_size is None:
        return None
    wanted = select(UploadPart).where(UploadPart.upload_id == upload_id)
    found = session.scalars(wanted.order_by(UploadPart.number))
    return StoredBytes(upload, [(part.number, part.etag) for part in found])


@transaction(writes=True)
def give_number(session: Session, lease: Lease, *, key: str, multipart_id: str) -> int:
    """Return a number for a part, which was never given out for this upload.

    So a part that comes late from a host that stood still replaces no part that counts.

    :param key: of the object that the parts become, and `multipart_id` of its upload.
    """
    row = held(session, lease)
    row.multipart_key, row.multipart_id = key, multipart_id
    row.part_numbers = (row.part_numbers or 0) + 1
    return row.part_numbers


@transaction(writes=True)
def record_part(session: Session, lease: Lease, *, number: int, etag: str, offset: int) -> None:
    """Record a part that the store has. The tail is in it, and does not count any more.

    :param offset: bytes of the upload with it.
    """
    row = held(session, lease)
    session.merge(UploadPart(upload_id=row.id, number=number, etag=etag))
    row.offset, row.tail_key = offset, None


@transaction(writes=True)
def record_tail(session: Session, lease: Lease, *, key: str, offset: int) -> None:
    """Record a tail that the store has, in the place of the one before.

    :param offset: bytes of the upload with it.
    """
    row = held(session, lease)
    row.offset, row.tail_key = offset, key


@transaction(writes=True)
def go_back(
    session: Session, lease: Lease, *, last_number: int, tail_key: str | None, offset: int
) -> None:
    """Let no part count whose number is higher, and go back to a tail and an offset."""
    row = held(session, lease)
    session.execute(
        delete(UploadPart).where(UploadPart.upload_id == row.id, UploadPart.number > last_number)
    )
    row.offset, row.tail_key = offset, tail_key


@transaction(writes=True)
def give_up(session: Session, *, upload_id: str) -> bool:
    """Let nothing of an upload in the store count, so that its objects can be deleted.

    The upload has expired then, until its row is removed. Nobody makes a video of it any more.

    :returns: whether there is such an upload.
    """
    row = session.get(Upload, upload_id, with_for_update=True)
    if row is None or row.part_size is None:
        return False
    session.execute(delete(UploadPart).where(UploadPart.upload_id == upload_id))
    row.multipart_key = row.multipart_id = row.tail_key = None
    row.offset, row.expires_at = 0, now()
    row.fence += 1  # whoever is writing stops
    return True
