"""What every way of uploading needs of the app that is answering."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from flask import g, request

from common.errors import MatineeError
from common.storage import StorageError
from common.web.auth import require_viewer
from db.models import Upload
from upload_service.receive.body import Body
from upload_service.services import services
from upload_service.settings import UploadSettings
from upload_service.uploads.context import UploadContext

log = structlog.get_logger()


class StorageUnavailable(MatineeError):
    """The volume cannot be written; the log says why."""

    status = 503
    sentence = "Videos cannot be stored at the moment. Tell the administrator."
    retry_after = 10


def settings() -> UploadSettings:
    """Return the settings of the app that is answering."""
    return services().settings


def upload_context() -> UploadContext:
    """Return the stores and limits for the caller's uploads, with the volume ready to be written.

    :raises StorageUnavailable: it is not.
    """
    found = services()
    try:
        found.incoming.prepare()
    except StorageError as error:
        log.warning("the volume cannot be used", detail=str(error))
        raise StorageUnavailable from error
    return UploadContext(
        stores=found.stores,
        incoming=found.incoming,
        videos=found.videos,
        limits=found.settings.limits(),
        owner_id=require_viewer().id,
    )


@contextmanager
def upload_slot(upload_id: str) -> Iterator[None]:
    """Count the request among those that the caller's account is sending.

    :raises TooManyAtOnce: there are as many as there may be.
    """
    with services().receiving.receiving(require_viewer().id, upload_id):
        yield


def request_body() -> Body:
    """Return the body of the request that is being answered, the same object each time."""
    if "body" not in g:
        g.body = Body(request)
    body: Body = g.body
    return body


def serialize(context: UploadContext, upload: Upload) -> dict[str, Any]:
    """Return what an upload's owner is told of it."""
    offset = context.incoming.incoming_size(upload.id)
    if offset is None:  # published already, or not begun
        offset = upload.length or 0 if context.videos.has_original(upload.id) else 0
    return {
        "id": upload.id,
        "url": f"/upload/files/{upload.id}",
        "title": upload.title,
        "file_name": upload.file_name or "",
        "length": upload.length,
        "offset": offset,
        "fingerprint": upload.fingerprint,
        "created_at": upload.created_at.isoformat(),
        "expires_at": upload.expires_at.isoformat() if upload.expires_at else None,
    }


def percent(upload: dict[str, Any]) -> int:
    """Return how much of a serialized upload has arrived."""
    return upload["offset"] * 100 // upload["length"] if upload["length"] else 0
