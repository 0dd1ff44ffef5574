"""Deleting uploads that have not become videos."""

import structlog
from sqlalchemy.orm import Session

from db import native_threads
from db.engine import DatabaseUnavailable, transaction
from db.models import Upload, Video
from upload_service.upload_bytes.sealed import drop_stored
from upload_service.uploads.context import UploadContext
from upload_service.uploads.lock import exclusive_writer
from upload_service.uploads.queries import find

log = structlog.get_logger()


def delete_upload(context: UploadContext, upload_id: str) -> None:
    """Delete an upload, and give back its reservation. A video that it has become stays.

    :raises NotFound: the account has no such upload.
    :raises UploadLocked: it is just being finished.
    """
    upload = find(context.database, owner_id=context.owner_id, upload_id=upload_id)
    if isinstance(upload, Video):
        return
    with exclusive_writer(context, upload_id, force=True):
        abandon_upload(context, upload_id, published=True)
    delete_parts(context, upload)


def delete_parts(context: UploadContext, upload: Upload) -> None:
    """Delete what an upload was concatenated of."""
    for part in (upload.parts or "").split():
        abandon_upload(context, part)


def abandon_upload(context: UploadContext, upload_id: str, *, published: bool = False) -> None:
    """Remove an upload that has not become a video: its bytes, then its row.

    With the database or the object store away the row stays, and the janitor removes it.

    :param published: whether bytes in their final place go too, as the caller knows that nobody
        needs them.
    """
    native_threads.run(lambda: context.incoming.drop_incoming(upload_id))
    try:
        if not drop_stored(context, upload_id):
            return
        _remove_row(context.database, context=context, upload_id=upload_id, published=published)
    except DatabaseUnavailable as error:
        log.warning("an upload's row stays for the janitor", upload=upload_id, detail=str(error))


@transaction(writes=True)
def _remove_row(
    session: Session, *, context: UploadContext, upload_id: str, published: bool
) -> None:
    # The lock keeps others from recording this upload while bytes in their final place are removed.
    row = session.get(Upload, upload_id, with_for_update=True)
    if published and session.get(Video, upload_id) is None:
        context.videos.drop_video(upload_id)
    if row is not None:
        session.delete(row)
