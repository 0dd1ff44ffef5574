"""Concatenating complete uploads into one."""

from common.storage import IncomingStore, StorageFull
from common.storage.file_io import append_from, file_size, truncate
from db import native_threads
from db.models import Upload
from upload_service.receive.append_file import sync_or_truncate
from upload_service.uploads.context import UploadContext
from upload_service.uploads.delete import delete_parts
from upload_service.uploads.finish import finish_if_complete
from upload_service.uploads.lease import record
from upload_service.uploads.lock import LOCK_WAIT, LockedUpload, exclusive_writer
from upload_service.uploads.queries import UploadExpired, UploadStatus, remember_parts, status_of
from upload_service.uploads.quota import InsufficientStorage


def concatenate(context: UploadContext, upload: Upload, *, wait: float = LOCK_WAIT) -> UploadStatus:
    """Append the parts of an upload, from where that was left, and finish it.

    :param wait: seconds for another request that does the same.
    :raises UploadLocked: it goes on.
    :raises UploadExpired: a part is missing.
    :raises InsufficientStorage: the volume is full.
    :raises NotAVideo: the whole cannot be played; it and its parts are gone.
    """
    with exclusive_writer(context, upload.id, wait=wait) as locked:
        if locked is None:  # somebody else has finished it
            return status_of(context, upload.id)
        file, lease = locked.file, locked.lease
        start = file_size(file)
        parts = (upload.parts or "").split()
        try:
            if start != upload.length:
                native_threads.run(lambda: _append_parts(context.incoming, locked, parts))
            sync_or_truncate(file, start=start, require_lease=lease.require)
        except FileNotFoundError as error:
            raise UploadExpired from error
        except StorageFull as error:
            lease.require()
            truncate(file, start)
            raise InsufficientStorage from error
        # Before the parts go: without them another host could not begin again.
        record(context.database, lease, offset=file_size(file), release=False)
        remember_parts(context.stores.redis, upload, seconds=context.settings.upload_expires)
        try:
            return finish_if_complete(context, upload, file_size(file))
        finally:
            # Their reservations were the whole's, whatever became of it. After a crash here they
            # expire.
            delete_parts(context, upload)


def _append_parts(incoming: IncomingStore, locked: LockedUpload, parts: list[str]) -> None:
    """Append what the file does not have yet of its parts."""
    file, require_lease = locked.file, locked.lease.require
    done = file_size(file)
    for part in parts:
        with incoming.open_incoming(part) as source:
            size = file_size(source)
            if done < size:
                append_from(source, file, start=done, before_piece=require_lease)
            done = max(0, done - size)
