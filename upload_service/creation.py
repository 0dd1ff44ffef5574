"""Announcing uploads that can be continued, alone or put together of parts."""

import errno
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from common.errors import MatineeError
from common.ids import is_id, new_id
from common.storage import MediaStorage
from common.stores import Stores
from db import native_threads
from db.models import Upload, User, now
from upload_service.reservations import (
    Limits,
    NoRoom,
    file_too_large,
    lock_volume,
    require_room,
)
from upload_service.uploads import UploadGone, abandon_upload


class PartsUnusable(MatineeError):
    """What is to be put together is not there, or not complete."""

    def __init__(self) -> None:
        super().__init__("These parts cannot be put together: each must be complete, and yours.")


@dataclass(frozen=True)
class Announcement:
    """What a client says of an upload before its bytes.

    :ivar length: bytes, or None if that is told later.
    :ivar details: to be given back as they are.
    :ivar submission: names one sending; two uploads with the same become one video.
    :ivar is_part: it becomes no video, but a part of one.
    """

    length: int | None
    title: str
    tus_metadata: str | None = None
    file_name: str | None = None
    fingerprint: str | None = None
    submission: str | None = None
    is_part: bool = False


def begin(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    announced: Announcement,
    limits: Limits,
    parts: list[str] | None = None,
) -> Upload:
    """Announce an upload, promise it room, and make its file, durably.

    :param parts: ids of complete uploads that it is put together of, in their order; it takes over
        their promises.
    :raises PartsUnusable: a part is not there, not complete, or not a part.
    :raises BodyTooLarge: it is larger than any file may be.
    :raises OverQuota: the owner may not have so many bytes.
    :raises NoRoom: the volume has no room for it. Parts must fit once more.
    """
    if announced.length is not None and announced.length > limits.max_size:
        raise file_too_large(limits.max_size)
    work = partial(
        _announce,
        storage=storage,
        owner_id=owner_id,
        announced=announced,
        limits=limits,
        parts=parts,
    )
    upload = stores.database.write(work)
    _make_file(stores, storage, upload)
    return upload


def _announce(
    session: Session,
    *,
    storage: MediaStorage,
    owner_id: int,
    announced: Announcement,
    limits: Limits,
    parts: list[str] | None,
) -> Upload:
    lock_volume(session)
    if session.get(User, owner_id) is None:
        raise UploadGone
    length = announced.length
    if parts is not None:
        length = _take_over(session, storage, owner_id=owner_id, parts=parts)
        if length > limits.max_size:
            raise file_too_large(limits.max_size)
    require_room(session, storage, owner_id=owner_id, more=length or 0, quota=limits.quota)
    upload = Upload(
        id=new_id(),
        owner_id=owner_id,
        submission=announced.submission,
        title=announced.title,
        length=length,
        reserved=length or 0,
        tus_metadata=announced.tus_metadata,
        file_name=announced.file_name,
        fingerprint=announced.fingerprint,
        expires_at=now() + timedelta(seconds=limits.expires),
        is_part=announced.is_part or None,
        parts=None if parts is None else " ".join(parts),
    )
    session.add(upload)
    try:
        session.flush()
    except IntegrityError as error:
        raise UploadGone from error
    return upload


def _take_over(session: Session, storage: MediaStorage, *, owner_id: int, parts: list[str]) -> int:
    """Return the length of parts together. The room that they were promised is the whole's now."""
    length = 0
    for part in parts:
        upload = session.get(Upload, part, with_for_update=True) if is_id(part) else None
        if upload is None or upload.owner_id != owner_id or not upload.is_part:
            raise PartsUnusable
        if upload.length is None or storage.incoming_size(part) != upload.length:
            raise PartsUnusable
        length += upload.length
        upload.reserved = 0
    session.flush()
    return length


def _make_file(stores: Stores, storage: MediaStorage, upload: Upload) -> None:
    def make() -> None:
        with storage.create_incoming(upload.id):
            pass

    try:
        native_threads.run(make)
    except OSError as error:
        abandon_upload(stores, storage, upload_id=upload.id)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom from error
        raise
