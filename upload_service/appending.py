"""Appending to an upload at an offset.

Nothing here knows a protocol. The file is the truth for how many bytes have arrived; what is told
to a client as arrived is synced first.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from common.errors import MatineeError
from common.storage import MediaStorage
from common.stores import Stores
from db.models import Upload, Video
from upload_service.body import Body, ClientLeft, ClientStalled
from upload_service.completing import complete, published
from upload_service.lookup import Standing, WrongOffset, find
from upload_service.pipeline import Piece
from upload_service.promises import Appending, Promise, prepare, renew
from upload_service.receipts import receipts
from upload_service.reservations import Limits
from upload_service.storing import Arriving, store, store_checked
from upload_service.writers import Holder, TakenOver, sole_writer, watched

if TYPE_CHECKING:
    from hashlib import _Hash


class NotAppendable(MatineeError):
    """A file that is put together of others takes no bytes of its own."""

    status = 403

    def __init__(self) -> None:
        super().__init__("This upload is put together of others. Nothing can be added to it.")


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
            upload = prepare(
                stores, storage, owner_id=owner_id, upload_id=upload_id, said=said, limits=limits
            )
            end = _take_in(stores, storage, upload, file, said=said, body=body, limits=limits)
            renew(stores, upload, limits)
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
        promise = Promise(stores, storage, upload, limits)

    def arriving(make_room: Callable[[], None]) -> Iterator[Piece]:
        for piece in body.pieces(make_room, at=said.offset) if said.size != 0 else ():
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
