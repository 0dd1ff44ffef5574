"""What every way of sending bytes needs of the app that is answering."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from flask import g, request

from common.errors import MatineeError
from common.storage import MediaStorage, StorageError
from db.models import Upload
from upload_service.body import Body
from upload_service.reservations import Limits
from upload_service.services import services
from upload_service.settings import UploadSettings

log = structlog.get_logger()


class VolumeAway(MatineeError):
    """The volume cannot be written; the log says why."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Videos cannot be stored at the moment. Tell the administrator.")
        self.headers["Retry-After"] = "10"


class TooManyUploads(MatineeError):
    """All threads that uploads may have are taken; the others are for everybody else."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Too many files are arriving just now. Try again in a minute.")
        self.headers["Retry-After"] = "30"


def settings() -> UploadSettings:
    """Return the settings of the app that is answering."""
    return services().settings


def limits() -> Limits:
    """Return what an upload may take."""
    given = settings()
    return Limits(max_size=given.max_upload_size, quota=given.quota, expires=given.upload_expires)


def volume() -> MediaStorage:
    """Return the volume, ready to be written.

    :raises VolumeAway: it is not.
    """
    storage = services().storage
    try:
        storage.prepare()
    except StorageError as error:
        log.warning("the volume cannot be used", detail=str(error))
        raise VolumeAway from error
    return storage


def slots(count: int | None) -> threading.BoundedSemaphore | None:
    """Return what :func:`slot` counts with; None if uploads cost no thread."""
    return None if count is None else threading.BoundedSemaphore(count)


@contextmanager
def slot() -> Iterator[None]:
    """Take one of the threads that uploads may have, where they need one.

    :raises TooManyUploads: all are taken.
    """
    slots = services().slots
    if slots is None:
        yield
        return
    if not slots.acquire(blocking=False):
        raise TooManyUploads
    try:
        yield
    finally:
        slots.release()


def body_of_request() -> Body:
    """Return the body of the request that is being answered, the same one each time."""
    if "body" not in g:
        g.body = Body(request)
    body: Body = g.body
    return body


def described(upload: Upload, storage: MediaStorage) -> dict[str, Any]:
    """Return what an upload's owner is told of it."""
    offset = storage.incoming_size(upload.id)
    if offset is None:  # in its place already, or not begun
        offset = upload.length or 0 if storage.has_original(upload.id) else 0
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
    """Return how much of a described upload has arrived."""
    return upload["offset"] * 100 // upload["length"] if upload["length"] else 0
