"""Completing uploads: by concatenating others, or where a crash left all bytes and no video."""

from common.storage import StorageFull
from db.models import Upload
from upload_service.upload_bytes.interface import UploadBytes
from upload_service.upload_bytes.sealed import open_complete
from upload_service.uploads.context import UploadContext
from upload_service.uploads.delete import delete_parts
from upload_service.uploads.finish import finish_if_complete, finish_upload
from upload_service.uploads.host import arrived_bytes
from upload_service.uploads.lease import record
from upload_service.uploads.lock import LOCK_WAIT, exclusive_writer
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
        target = locked.bytes
        try:
            if target.size != upload.length:
                _append_parts(context, target, (upload.parts or "").split())
            target.sync()
        except FileNotFoundError as error:
            raise UploadExpired from error
        except StorageFull as error:
            target.undo()
            raise InsufficientStorage from error
        # Before the parts go: without them another host could not begin again.
        record(context.database, locked.lease, offset=target.size, release=False)
        remember_parts(context.stores.redis, upload, seconds=context.settings.upload_expires)
        try:
            return finish_if_complete(context, upload, target.size)
        finally:
            # Their reservations were the whole's, whatever became of it. After a crash here they
            # expire.
            delete_parts(context, upload)


def _append_parts(context: UploadContext, target: UploadBytes, parts: list[str]) -> None:
    """Append what an upload does not have yet of its parts."""
    done = target.size
    for part in parts:
        with open_complete(context, part) as (source, size):
            if done < size:
                target.append_file(source, start=done)
            done = max(0, done - size)


def recover_upload(context: UploadContext, upload: Upload) -> UploadStatus | None:
    """Finish an upload that has all its bytes; return None if it does not.

    :raises NotAVideo: it was complete, and cannot be played; it is gone.
    :raises UploadLocked: another request is writing.
    :raises InsufficientStorage: the volume is full.
    """
    if context.videos.has_original(upload.id):
        video = finish_upload(context, upload)
        return UploadStatus(upload, video.size, video.size, video)
    size = arrived_bytes(context.incoming, upload)
    if upload.parts is not None and size is not None:
        return concatenate(context, upload, wait=0)
    if size is None or upload.is_part or size != upload.length:
        return None
    with exclusive_writer(context, upload.id, wait=0) as locked:
        if locked is None:
            return None
        try:
            locked.bytes.sync()
        except StorageFull as error:
            raise InsufficientStorage from error
        size = locked.bytes.size
        record(context.database, locked.lease, offset=size, release=size != upload.length)
        return finish_if_complete(context, locked.upload, size)
