"""The bytes of an upload that are complete: read, made one object, or removed."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from common.storage import objects
from common.storage.errors import ObjectMissing, StoreRefused, StoreUnavailable
from common.storage.file_io import file_size
from common.storage.object_files import check_length
from common.storage.object_reader import open_object
from common.storage.volume import ORIGINAL
from upload_service.upload_bytes import rows
from upload_service.upload_bytes.store import ending_if_lost, naming_store_errors
from upload_service.uploads.context import UploadContext
from upload_service.uploads.queries import UploadExpired

_AHEAD = 256 << 10  # bytes that are read at once of an object that is looked into

log = structlog.get_logger()


@dataclass(frozen=True)
class SealedObject:
    """The object with all bytes of an upload."""

    key: str | None  # None if the upload is empty
    size: int


@contextmanager
def open_complete(context: UploadContext, upload_id: str) -> Iterator[tuple[BinaryIO, int]]:
    """Open a complete upload for reading, and give its size as well.

    :raises FileNotFoundError, UploadExpired: it has no bytes.
    :raises StoreAway: the object store does not answer.
    """
    if not rows.is_in_store(context.database, upload_id=upload_id):
        with context.incoming.open_incoming(upload_id) as file:
            yield file, file_size(file)
        return
    sealed = seal(context, upload_id)
    with naming_store_errors(upload_id), open_sealed(context, sealed) as file:
        yield file, sealed.size


def seal(context: UploadContext, upload_id: str) -> SealedObject:
    """Make one object of all bytes of an upload in the store. It may be called again.

    They are all recorded, as parts or as a tail alone.

    :raises UploadExpired: there is no such upload any more, or its bytes are gone.
    :raises StoreAway: the object store does not answer.
    """
    found = rows.stored_bytes(context.database, upload_id=upload_id)
    if found is None:
        raise UploadExpired
    upload, size = found.upload, found.upload.offset or 0
    key = upload.tail_key
    with naming_store_errors(upload_id), ending_if_lost(context, upload_id):
        store = context.require_object_store()
        if found.parts:
            key = str(upload.multipart_key)
            with suppress(ObjectMissing):  # an earlier call has done so
                store.complete_multipart(key, str(upload.multipart_id), found.parts)
        if key is not None:
            check_length(store, key, size)
    return SealedObject(key, size)


def open_sealed(context: UploadContext, sealed: SealedObject) -> BinaryIO:
    """Open an object for reading; each read raises what the store raises."""
    if sealed.key is None:
        return io.BytesIO()
    return open_object(context.require_object_store(), sealed.key, size=sealed.size, ahead=_AHEAD)


def drop_tails(context: UploadContext, upload_id: str, *, keep: str) -> None:
    """Delete what an upload that is a video now has left beside its original, whose key is `keep`.

    If that fails it is found later, by whoever looks for objects without a row.
    """
    with suppress(StoreUnavailable, StoreRefused):
        store = context.require_object_store()
        for key in store.list_keys(f"{upload_id}/"):
            if key != keep and objects.parse_key(key) == (upload_id, ORIGINAL):
                store.delete(key)


def drop_stored(context: UploadContext, upload_id: str) -> bool:
    """Delete what an upload in the store has; return False if it must be tried again.

    The upload has expired from then on.
    """
    if not rows.give_up(context.database, upload_id=upload_id):
        return True
    if context.object_store is None:
        log.error("an upload is in an object store, and S3_BUCKET is not set", upload=upload_id)
        return False
    store, prefix = context.object_store, f"{upload_id}/"
    try:
        for multipart in store.list_multiparts(prefix):
            with suppress(ObjectMissing):
                store.abort_multipart(multipart.key, multipart.id)
        for key in store.list_keys(prefix):
            store.delete(key)
    except (StoreUnavailable, StoreRefused) as error:
        log.warning("an upload's objects stay for now", upload=upload_id, detail=str(error))
        return False
    return True
