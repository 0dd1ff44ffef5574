"""Uploads that can be continued: begun, appended to at an offset, put together, given up.

Nothing here knows a protocol. The file is the truth for how many bytes have arrived; what is told
to a client as arrived is synced first.
"""

import errno
import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from common.errors import Conflict, MatineeError, NotThere
from common.ids import is_id, new_id
from common.storage import MediaStorage, StorageFull
from common.stores import Stores
from db.models import Upload, User, Video, now
from upload_service.counters import bytes_received
from upload_service.reservations import (
    Limits,
    NoRoom,
    file_too_large,
    lock_volume,
    require_room,
    reserve_more,
)
from upload_service.uploads import UploadGone, abandon_upload, finish_upload
from upload_service.writers import WAIT, sole_writer, until_claimed

if TYPE_CHECKING:
    from hashlib import _Hash

_STEP = 64 << 20  # bytes by which a promise grows while nobody knows how many will come
_RENEWAL = 60  # seconds; a shorter stretch of life is not worth a transaction

Pieces = Iterable[memoryview | None]


class WrongOffset(Conflict):
    """The bytes would not begin where the file ends."""

    def __init__(self) -> None:
        super().__init__("These bytes do not begin where the upload ends. Ask for its offset.")


class PastTheEnd(MatineeError):
    """More bytes are sent than were announced."""

    status = 413

    def __init__(self) -> None:
        super().__init__("These are more bytes than were announced, so none of them was kept.")


class LengthFixed(MatineeError):
    """The length is known already, and is another."""

    def __init__(self) -> None:
        super().__init__("The length of this upload cannot be set to that.")


class ChecksumMismatch(MatineeError):
    """The bytes are not those that the client read."""

    status = 460

    def __init__(self) -> None:
        super().__init__("These bytes were damaged on the way, so none of them was kept.")


class NotAppendable(MatineeError):
    """A file that is put together of others takes no bytes of its own."""

    status = 403

    def __init__(self) -> None:
        super().__init__("This upload is put together of others. Nothing can be added to it.")


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
    details: str | None = None
    file_name: str | None = None
    fingerprint: str | None = None
    submission: str | None = None
    is_part: bool = False


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one request must hash to."""

    new_hash: Callable[[], "_Hash"]
    digest: bytes


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


def begin(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    announced: Announcement,
    limits: Limits,
) -> Upload:
    """Announce an upload, promise it room, and make its file, durably.

    :raises BodyTooLarge: it is larger than any file may be.
    :raises OverQuota: the owner may not have so many bytes.
    :raises NoRoom: the volume has no room for it.
    """
    if announced.length is not None and announced.length > limits.max_size:
        raise file_too_large(limits.max_size)
    work = partial(
        _announce, storage=storage, owner_id=owner_id, announced=announced, limits=limits
    )
    upload = stores.database.write(work)
    _make_file(stores, storage, upload)
    return upload


def begin_joined(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    announced: Announcement,
    parts: list[str],
    limits: Limits,
) -> Upload:
    """Announce an upload that is put together of complete ones, whose promises it takes over.

    :param parts: ids, in their order.
    :raises PartsUnusable: one is not there, not complete, or not a part.
    :raises BodyTooLarge: all together are larger than a file may be.
    :raises NoRoom: they fit once on the volume, and not twice.
    """
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


def standing(stores: Stores, storage: MediaStorage, *, owner_id: int, upload_id: str) -> Standing:
    """Tell where an upload stands, at once, whoever is writing.

    :raises NotThere: there is none of this owner's.
    :raises UploadGone: it expired, or its bytes are lost.
    """
    found = stores.database.read(partial(find, owner_id=owner_id, upload_id=upload_id))
    if isinstance(found, Video):
        return Standing(None, found.size, found.size, found)
    offset = storage.durable_size(upload_id)
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


def append(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    upload_id: str,
    offset: int,
    pieces: Pieces,
    size: int | None,
    limits: Limits,
    length: int | None = None,
    checksum: Checksum | None = None,
) -> Standing:
    """Add bytes at the end of an upload, sync them, and finish the upload if they complete it.

    Whatever goes wrong while they arrive, those that did are kept, synced; except that nothing is
    kept of too many bytes, or of bytes with a checksum that did not all arrive and match.

    :param offset: where the client believes that the upload ends.
    :param size: how many bytes are coming, if that is known.
    :param length: of the whole upload, if it is told only now.
    :raises NotThere: there is no such upload of this owner's.
    :raises WrongOffset: it ends somewhere else.
    :raises PastTheEnd: more comes than was announced.
    :raises ChecksumMismatch: the bytes are not what the checksum says.
    :raises Locked: another request is writing.
    :raises NoRoom: the volume is full.
    """
    found = stores.database.read(partial(find, owner_id=owner_id, upload_id=upload_id))
    if isinstance(found, Upload) and found.parts is not None:
        raise NotAppendable
    try:
        if isinstance(found, Video):
            raise FileNotFoundError
        with sole_writer(stores.redis, storage, upload_id) as file:
            if storage.size(file) != offset:
                raise WrongOffset
            upload = _prepare(
                stores,
                storage,
                owner_id=owner_id,
                upload_id=upload_id,
                offset=offset,
                size=size,
                length=length,
                limits=limits,
            )
            arriving = until_claimed(stores.redis, upload_id, pieces)
            if upload.length is None and size is None:
                arriving = _promising(stores, storage, upload, arriving, offset, limits)
            most = limits.max_size if upload.length is None else upload.length
            if checksum is None:
                end = _store(storage, file, arriving, most=most)
            else:
                end = _store_checked(storage, file, arriving, most=most, checksum=checksum)
            _renew(stores, upload, limits)
            return _complete(stores, storage, upload, end)
    except FileNotFoundError:
        return _published(
            stores, storage, owner_id=owner_id, upload_id=upload_id, offset=offset, size=size
        )


def join(
    stores: Stores, storage: MediaStorage, *, upload: Upload, patience: float = WAIT
) -> Standing:
    """Put an upload together of its parts, from where that was left, and finish it.

    :raises Locked: somebody else is at it.
    :raises UploadGone: a part is not there any more.
    :raises NoRoom: the volume is full.
    """
    parts = (upload.parts or "").split()
    with sole_writer(stores.redis, storage, upload.id, patience=patience) as file:
        done = start = storage.size(file)
        try:
            for part in parts:
                with storage.open_incoming(part) as source:
                    size = storage.size(source)
                    if done < size:
                        storage.append_from(source, file, start=done)
                        done = 0
                    else:
                        done -= size
        except FileNotFoundError as error:
            if storage.size(file) != upload.length:
                raise UploadGone from error
        except StorageFull as error:
            storage.cut(file, start)
            raise NoRoom from error
        _sync(storage, file, start=start)
        try:
            return _complete(stores, storage, upload, storage.size(file))
        finally:
            # Whether or not it is a film: their room was the whole's. A crash leaves them to
            # their expiry.
            _drop_parts(stores, storage, upload)


def settle(stores: Stores, storage: MediaStorage, *, upload: Upload) -> Standing | None:
    """Take an upload further that a crash left complete; return None if it is not.

    :raises NotAVideo: it was complete, and is not a film; it is gone.
    :raises Locked: somebody is at it.
    """
    if storage.has_original(upload.id):
        return _finished(stores, storage, upload)
    if upload.parts is not None and storage.incoming_size(upload.id) is not None:
        return join(stores, storage, upload=upload, patience=0)
    if upload.is_part or storage.incoming_size(upload.id) != upload.length:
        return None
    try:
        with sole_writer(stores.redis, storage, upload.id, patience=0) as file:
            _sync(storage, file, start=storage.size(file))
            return _complete(stores, storage, upload, storage.size(file))
    except FileNotFoundError:
        return None


def terminate(stores: Stores, storage: MediaStorage, *, owner_id: int, upload_id: str) -> None:
    """Throw an unfinished upload away, and give back its room.

    :raises NotThere: there is none of this owner's.
    :raises Locked: its bytes are coming in just now.
    """
    found = stores.database.read(partial(find, owner_id=owner_id, upload_id=upload_id))
    if isinstance(found, Video):
        raise NotThere
    try:
        with sole_writer(stores.redis, storage, upload_id):
            abandon_upload(stores, storage, upload_id=upload_id)
    except FileNotFoundError:
        abandon_upload(stores, storage, upload_id=upload_id)
    _drop_parts(stores, storage, found)


def _drop_parts(stores: Stores, storage: MediaStorage, upload: Upload) -> None:
    for part in (upload.parts or "").split():
        abandon_upload(stores, storage, upload_id=part)


def find(session: Session, *, owner_id: int, upload_id: str) -> Upload | Video:
    """Return an upload that can be continued, or the video that it has become.

    :raises NotThere: there is none, or not of this owner's.
    :raises UploadGone: it has expired.
    """
    if not is_id(upload_id):
        raise NotThere
    upload = session.get(Upload, upload_id)
    if upload is not None and upload.expires_at is not None and upload.owner_id == owner_id:
        if upload.expires_at <= now():
            raise UploadGone
        return upload
    video = session.get(Video, upload_id)
    if video is None or video.owner_id != owner_id or video.deleted_at is not None:
        raise NotThere
    return video


def unfinished(session: Session, *, owner_id: int) -> list[Upload]:
    """Return somebody's uploads that can be continued, the newest first."""
    wanted = (
        select(Upload)
        .where(Upload.owner_id == owner_id, Upload.expires_at > now())
        .order_by(Upload.created_at.desc(), Upload.id)
    )
    return list(session.scalars(wanted))


def _announce(
    session: Session,
    *,
    storage: MediaStorage,
    owner_id: int,
    announced: Announcement,
    limits: Limits,
    parts: list[str] | None = None,
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
        details=announced.details,
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
    try:
        with storage.create_incoming(upload.id):
            pass
    except OSError as error:
        abandon_upload(stores, storage, upload_id=upload.id)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom from error
        raise


def _prepare(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    upload_id: str,
    offset: int,
    size: int | None,
    length: int | None,
    limits: Limits,
) -> Upload:
    """Read the row again, now that nobody else writes, and look whether the bytes may come."""
    upload = stores.database.read(partial(find, owner_id=owner_id, upload_id=upload_id))
    if not isinstance(upload, Upload):
        raise FileNotFoundError
    if length is not None and length != upload.length:
        if upload.length is not None or length < offset:
            raise LengthFixed
        if length > limits.max_size:
            raise file_too_large(limits.max_size)
        work = partial(
            _set_length, storage=storage, upload_id=upload_id, length=length, quota=limits.quota
        )
        upload = stores.database.write(work)
    if size is not None:
        if upload.length is not None and offset + size > upload.length:
            raise PastTheEnd
        if offset + size > limits.max_size:
            raise file_too_large(limits.max_size)
        if upload.length is None:
            _promise(stores, storage, upload, offset + size, limits)
    return upload


def _set_length(
    session: Session, *, storage: MediaStorage, upload_id: str, length: int, quota: int | None
) -> Upload:
    reserve_more(session, storage, upload_id=upload_id, total=length, quota=quota)
    upload = session.get(Upload, upload_id)
    if upload is None:
        raise UploadGone
    upload.length = upload.reserved = length
    return upload


def _promise(
    stores: Stores, storage: MediaStorage, upload: Upload, total: int, limits: Limits
) -> None:
    work = partial(
        reserve_more, storage=storage, upload_id=upload.id, total=total, quota=limits.quota
    )
    stores.database.write(work)


def _promising(
    stores: Stores,
    storage: MediaStorage,
    upload: Upload,
    pieces: Iterable[memoryview],
    offset: int,
    limits: Limits,
) -> Iterator[memoryview]:
    """Pass on pieces of which nobody knows how many come, after having made room for them."""
    promised = upload.reserved or 0
    for piece in pieces:
        offset += len(piece)
        if offset > promised and offset <= limits.max_size:
            try:
                promised = min(offset + _STEP, limits.max_size)
                _promise(stores, storage, upload, promised, limits)
            except MatineeError:  # not so much at once, then
                promised = offset
                _promise(stores, storage, upload, promised, limits)
        yield piece


def _store(
    storage: MediaStorage, file: BinaryIO, pieces: Iterable[memoryview], *, most: int
) -> int:
    """Append pieces and sync them; return where the file ends. Those that came in time are kept."""
    start = end = storage.size(file)
    try:
        for piece in pieces:
            if end + len(piece) > most:
                raise PastTheEnd
            storage.append(file, piece)
            end += len(piece)
            bytes_received.inc(len(piece))
    except PastTheEnd:
        storage.cut(file, start)
        raise
    except BaseException as error:
        storage.cut(file, end)  # a piece that was written half
        _sync(storage, file, start=start)
        if isinstance(error, StorageFull):
            raise NoRoom from error
        raise
    _sync(storage, file, start=start)
    return end


def _store_checked(
    storage: MediaStorage,
    file: BinaryIO,
    pieces: Iterable[memoryview],
    *,
    most: int,
    checksum: Checksum,
) -> int:
    """Append pieces once all of them are there and match; they wait beside the file."""
    start = end = storage.size(file)
    hashed = checksum.new_hash()
    with storage.scratch() as scratch:
        try:
            for piece in pieces:
                end += len(piece)
                if end > most:
                    raise PastTheEnd
                hashed.update(piece)
                storage.append(scratch, piece)
                bytes_received.inc(len(piece))
            if not hmac.compare_digest(hashed.digest(), checksum.digest):
                raise ChecksumMismatch
            storage.append_from(scratch, file)
        except StorageFull as error:
            storage.cut(file, start)
            raise NoRoom from error
        except OSError:
            storage.cut(file, start)
            raise
    _sync(storage, file, start=start)
    return end


def _sync(storage: MediaStorage, file: BinaryIO, *, start: int) -> None:
    """Sync what was appended, or take it back: nobody knows what became of it."""
    try:
        storage.sync(file)
    except StorageFull as error:
        storage.cut(file, start)
        raise NoRoom from error
    except OSError:
        storage.cut(file, start)
        raise


def _renew(stores: Stores, upload: Upload, limits: Limits) -> None:
    """Let an upload live on, as it has been written to."""
    until = now() + timedelta(seconds=limits.expires)
    least = timedelta(seconds=min(_RENEWAL, limits.expires / 10))
    if upload.expires_at is None or until - upload.expires_at > least:
        stores.database.write(partial(_set_expiry, upload_id=upload.id, until=until))
        upload.expires_at = until


def _set_expiry(session: Session, *, upload_id: str, until: object) -> None:
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None:
        raise UploadGone
    upload.expires_at = until  # type: ignore[assignment]


def _complete(stores: Stores, storage: MediaStorage, upload: Upload, end: int) -> Standing:
    if end == upload.length and not upload.is_part:
        return _finished(stores, storage, upload)
    return Standing(upload, end, upload.length)


def _finished(stores: Stores, storage: MediaStorage, upload: Upload) -> Standing:
    video = finish_upload(stores, storage, upload=upload)
    return Standing(upload, video.size, video.size, video)


def _published(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    upload_id: str,
    offset: int,
    size: int | None,
) -> Standing:
    """Answer bytes for an upload that has all of them: its client lost the last answer."""
    now_at = standing(stores, storage, owner_id=owner_id, upload_id=upload_id)
    if offset != now_at.offset:
        raise WrongOffset
    if size != 0:
        raise PastTheEnd
    if now_at.video is None and now_at.upload is not None:
        return _finished(stores, storage, now_at.upload)
    return now_at
