"""Creating uploads: of one file, of a part, or of a file that is concatenated of parts."""

import errno
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from common.errors import MatineeError
from common.ids import is_id, new_id
from common.storage.store_settings import Store
from common.translation import gettext_noop
from db import native_threads
from db.engine import transaction
from db.models import Upload, User, now
from upload_service.upload_bytes.store import part_size_of
from upload_service.uploads.context import UploadContext
from upload_service.uploads.delete import abandon_upload
from upload_service.uploads.host import arrived_bytes
from upload_service.uploads.queries import UploadExpired
from upload_service.uploads.quota import (
    InsufficientStorage,
    lock_volume,
    require_few_unfinished,
    require_size,
    require_space,
)


class InvalidParts(MatineeError):
    """A part that is to be concatenated is missing, or not complete."""

    sentence = gettext_noop("These parts cannot be put together: each must be complete, and yours.")


@dataclass(frozen=True)
class NewUpload:
    """What a client says of an upload before its bytes.

    :ivar length: bytes, or None if that is unknown.
    :ivar reserve: bytes to reserve while the length is unknown.
    :ivar title: shown to people, 1 to 200 characters; never part of a path.
    :ivar tus_metadata: returned to the client as it came.
    :ivar file_name: the client's name of the file, cleaned; never part of a path either.
    :ivar submission: identifies one submission; two uploads with the same become one video.
    :ivar is_part: it becomes no video, but a part of one.
    :ivar resumable: it can be continued by another request until it expires.
    """

    length: int | None
    title: str
    reserve: int = 0
    tus_metadata: str | None = None
    file_name: str | None = None
    fingerprint: str | None = None
    submission: str | None = None
    is_part: bool = False
    resumable: bool = True


def create_upload(
    context: UploadContext, new: NewUpload, *, parts: list[str] | None = None
) -> Upload:
    """Create an upload's row with its reservation, then its file, durably.

    The row comes before the file, so that no file is without one. In the object store there is
    nothing before the first bytes.

    :param parts: ids of complete uploads that it is concatenated of, in their order; it takes over
        their reservations.
    :raises InvalidParts: a part is missing, not complete, or not a part.
    :raises BodyTooLarge: it is larger than any file may be.
    :raises TooManyUnfinished: the account has too many unfinished uploads.
    :raises QuotaExceeded: the account may not have so many bytes.
    :raises InsufficientStorage: the volume has no space for it. Parts must fit once more.
    :raises UploadExpired: the account has just been deleted.
    """
    require_size(context, new.length or 0)
    upload = insert_upload(context.database, context=context, new=new, parts=parts)
    if upload.part_size is not None:
        return upload
    try:
        native_threads.run(lambda: context.incoming.create_incoming(upload.id))
    except OSError as error:
        abandon_upload(context, upload.id)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InsufficientStorage from error
        raise
    return upload


@transaction(writes=True)
def insert_upload(
    session: Session, *, context: UploadContext, new: NewUpload, parts: list[str] | None
) -> Upload:
    """Create an upload's row; see :func:`create_upload`."""
    lock_volume(session)
    if session.get(User, context.owner_id) is None:
        raise UploadExpired
    length = new.length
    if parts is None:
        require_few_unfinished(session, owner_id=context.owner_id)
    else:
        length = _take_over(session, context, parts=parts)
        require_size(context, length)
    reserved = new.reserve if length is None else length
    in_store = context.settings.upload_store is Store.S3
    require_space(session, context, extra_bytes=reserved, on_disk=not in_store)
    most = context.settings.max_upload_size if length is None else length
    expires_at = now() + timedelta(seconds=context.settings.upload_expires)
    upload = Upload(
        id=new_id(),
        owner_id=context.owner_id,
        submission=new.submission,
        title=new.title,
        length=length,
        reserved=reserved,
        tus_metadata=new.tus_metadata,
        file_name=new.file_name,
        fingerprint=new.fingerprint,
        expires_at=expires_at if new.resumable else None,
        is_part=new.is_part or None,
        parts=None if parts is None else " ".join(parts),
        part_size=part_size_of(most) if in_store else None,
        offset=0 if in_store else None,
    )
    session.add(upload)
    try:
        session.flush()
    except IntegrityError as error:
        raise UploadExpired from error
    return upload


def _take_over(session: Session, context: UploadContext, *, parts: list[str]) -> int:
    """Return the length of all parts together, whose reservations become that of the whole."""
    length = 0
    for part in parts:
        upload = session.get(Upload, part, with_for_update=True) if is_id(part) else None
        if upload is None or upload.owner_id != context.owner_id or not upload.is_part:
            raise InvalidParts
        if upload.length is None or arrived_bytes(context.incoming, upload) != upload.length:
            raise InvalidParts
        length += upload.length
        upload.reserved = 0
    session.flush()
    return length
