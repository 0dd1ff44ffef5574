"""Continuing uploads that a crash left complete, but not finished."""

from common.storage import StorageFull
from db.models import Upload
from upload_service.uploads.concatenate import concatenate
from upload_service.uploads.context import UploadContext
from upload_service.uploads.finish import finish_if_complete, finish_upload
from upload_service.uploads.host import arrived_bytes
from upload_service.uploads.lease import record
from upload_service.uploads.lock import exclusive_writer
from upload_service.uploads.queries import UploadStatus
from upload_service.uploads.quota import InsufficientStorage


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
