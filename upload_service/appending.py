"""Appending to an upload at an offset.

Nothing here knows a protocol. The file is the truth for how many bytes have arrived; what is told
to a client as arrived is synced first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy.orm import Session

from common.errors import MatineeError
from common.storage import MediaStorage
from common.stores import Stores
from db.models import Upload, Video, now
from upload_service.body import Body, ClientLeft, ClientStalled
from upload_service.completing import complete, published
from upload_service.lookup import Standing, WrongOffset, find
from upload_service.pipeline import Piece
from upload_service.receipts import receipts
from upload_service.reservations import Limits, file_too_large, reserve_more
from upload_service.storing import Arriving, Checksum, PastTheEnd, store, store_checked
from upload_service.uploads import UploadGone
from upload_service.writers import Holder, TakenOver, sole_writer, watched

if TYPE_CHECKING:
    from hashlib import _Hash

_STEP = 64 << 20  # bytes by which a promise grows while nobody knows how many will come
_RENEWAL = 60  # seconds; a shorter stretch of life is not worth a transaction


class LengthFixed(MatineeError):
    """The length is known already, and is another."""

    def __init__(self) -> None:
        super().__init__("The length of this upload cannot be set to that.")


class NotAppendable(MatineeError):
    """A file that is put together of others takes no bytes of its own."""

    status = 403

    def __init__(self) -> None:
        super().__init__("This upload is put together of others. Nothing can be added to it.")


@dataclass(frozen=True)
class Appending:
    """What a request says of the bytes it brings.

    :ivar offset: where the client believes that the upload ends.
    :ivar size: how many bytes are coming, if that is known.
    :ivar length: of the whole upload, if it is told only now.
    """

    offset: int
    size: int | None
    length: int | None = None
    checksum: Checksum | None = None


def append(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    upload_id: str,
    said: Appending,
    body: Body,
    limits: Limits,
) -> Standing:
    """Add bytes at the end of an upload, sync them, and finish the upload if they complete it.

    Whatever goes wrong while they arrive, those that did are kept, synced; except that nothing is
    kept of too many bytes, or of bytes with a checksum that did not all arrive and match.

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
            if storage.size(file) != said.offset:
                raise WrongOffset
            upload = _prepare(
                stores, storage, owner_id=owner_id, upload_id=upload_id, said=said, limits=limits
            )
            end = _take_in(stores, storage, upload, file, said=said, body=body, limits=limits)
            _renew(stores, upload, limits)
            return complete(stores, storage, upload, end)
    except FileNotFoundError:
        return published(
            stores,
            storage,
            owner_id=owner_id,
            upload_id=upload_id,
            offset=said.offset,
            size=said.size,
        )


def _take_in(
    stores: Stores,
    storage: MediaStorage,
    upload: Upload,
    file: BinaryIO,
    *,
    said: Appending,
    body: Body,
    limits: Limits,
) -> int:
    """Receive the bytes into the file; return where it ends, and keep its hash for what follows."""
    most = limits.max_size if upload.length is None else upload.length
    receipt = receipts.take(upload.id, said.offset)
    holder = Holder(upload.id, body.interrupt)
    promise = None
    if upload.length is None and said.size is None:
        promise = _Promise(stores, storage, upload, limits)

    def arriving(make_room: Callable[[], None]) -> Iterator[Piece]:
        for piece in body.pieces(make_room) if said.size != 0 else ():
            holder.arrived += len(piece.content)
            try:
                if promise is not None:
                    promise.cover(said.offset + holder.arrived)
            except BaseException:
                piece.release()
                raise
            yield piece
            if holder.taken_over:
                raise TakenOver

    with watched(stores.redis, holder):
        if said.checksum is None:
            end = _store(file, arriving, upload_id=upload.id, most=most, receipt=receipt)
        else:
            before = receipt.copy() if receipt else None
            try:
                end = store_checked(
                    storage, file, arriving, most=most, checksum=said.checksum, receipt=receipt
                )
            except MatineeError:
                receipts.keep(upload.id, said.offset, before)  # nothing was kept
                raise
    receipts.keep(upload.id, end, receipt)
    return end


def _store(
    file: BinaryIO, arriving: Arriving, *, upload_id: str, most: int, receipt: "_Hash | None"
) -> int:
    """As :func:`store`; the hash of what arrived before the client left is kept too."""
    try:
        return store(file, arriving, most=most, receipt=receipt)
    except (ClientLeft, ClientStalled, TakenOver):
        receipts.keep(upload_id, MediaStorage.size(file), receipt)
        raise


@dataclass
class _Promise:
    """Makes room for bytes of which nobody knows how many come."""

    stores: Stores
    storage: MediaStorage
    upload: Upload
    limits: Limits

    def __post_init__(self) -> None:
        self._promised = self.upload.reserved or 0

    def cover(self, end: int) -> None:
        """See to it that the upload may have so many bytes."""
        if not self._promised < end <= self.limits.max_size:
            return
        try:
            self._promised = min(end + _STEP, self.limits.max_size)
            _reserve(self.stores, self.storage, self.upload, self._promised, self.limits)
        except MatineeError:  # not so much at once, then
            self._promised = end
            _reserve(self.stores, self.storage, self.upload, self._promised, self.limits)


def _prepare(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    upload_id: str,
    said: Appending,
    limits: Limits,
) -> Upload:
    """Read the row again, now that nobody else writes, and look whether the bytes may come."""
    upload = stores.database.read(partial(find, owner_id=owner_id, upload_id=upload_id))
    if not isinstance(upload, Upload):
        raise FileNotFoundError
    length = said.length
    if length is not None and length != upload.length:
        if upload.length is not None or length < said.offset:
            raise LengthFixed
        if length > limits.max_size:
            raise file_too_large(limits.max_size)
        work = partial(
            _set_length, storage=storage, upload_id=upload_id, length=length, quota=limits.quota
        )
        upload = stores.database.write(work)
    if said.size is not None:
        end = said.offset + said.size
        if upload.length is not None and end > upload.length:
            raise PastTheEnd
        if end > limits.max_size:
            raise file_too_large(limits.max_size)
        if upload.length is None:
            _reserve(stores, storage, upload, end, limits)
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


def _reserve(
    stores: Stores, storage: MediaStorage, upload: Upload, total: int, limits: Limits
) -> None:
    work = partial(
        reserve_more, storage=storage, upload_id=upload.id, total=total, quota=limits.quota
    )
    stores.database.write(work)


def _renew(stores: Stores, upload: Upload, limits: Limits) -> None:
    """Let an upload live on, as it has been written to."""
    until = now() + timedelta(seconds=limits.expires)
    least = timedelta(seconds=min(_RENEWAL, limits.expires / 10))
    if upload.expires_at is None or until - upload.expires_at > least:
        stores.database.write(partial(_set_expiry, upload_id=upload.id, until=until))
        upload.expires_at = until


def _set_expiry(session: Session, *, upload_id: str, until: datetime) -> None:
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None:
        raise UploadGone
    upload.expires_at = until
