"""Putting an upload together of complete ones."""

from typing import BinaryIO

from common.storage import MediaStorage, StorageFull
from common.stores import Stores
from db import native_threads
from db.models import Upload
from upload_service.completing import complete
from upload_service.lookup import Standing
from upload_service.reservations import NoRoom
from upload_service.storing import cut, sync
from upload_service.uploads import UploadGone, abandon_upload
from upload_service.writers import WAIT, sole_writer


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
        start = storage.size(file)
        try:
            native_threads.run(lambda: _append_parts(storage, file, parts))
        except FileNotFoundError as error:
            if storage.size(file) != upload.length:
                raise UploadGone from error
        except StorageFull as error:
            cut(file, start)
            raise NoRoom from error
        sync(file, start=start)
        try:
            return complete(stores, storage, upload, storage.size(file))
        finally:
            # Whether or not it is a film: their room was the whole's. A crash leaves them to
            # their expiry.
            drop_parts(stores, storage, upload)


def drop_parts(stores: Stores, storage: MediaStorage, upload: Upload) -> None:
    """Throw away what an upload was put together of."""
    for part in (upload.parts or "").split():
        abandon_upload(stores, storage, upload_id=part)


def _append_parts(storage: MediaStorage, file: BinaryIO, parts: list[str]) -> None:
    """Append what the file does not hold yet of its parts."""
    done = storage.size(file)
    for part in parts:
        with storage.open_incoming(part) as source:
            size = storage.size(source)
            if done < size:
                storage.append_from(source, file, start=done)
                done = 0
            else:
                done -= size
