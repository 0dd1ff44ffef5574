"""What the views of the upload service work with."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from flask import g, request

from common.errors import MatineeError
from common.storage import IncomingStore, StorageError, VideoStore
from common.translation import gettext_noop
from common.web.auth import require_viewer
from common.web.services import Services, current_services
from upload_service.receive.body import Body
from upload_service.receive.limit import ReceiveLimit
from upload_service.settings import UploadSettings
from upload_service.uploads.context import UploadContext

if TYPE_CHECKING:
    from common.storage.s3 import S3Store

log = structlog.get_logger()


@dataclass(kw_only=True)
class UploadServices(Services):
    """The upload service's settings and stores.

    :ivar receiving: limits how many uploads of one account are received at once.
    """

    settings: UploadSettings
    incoming: IncomingStore
    videos: VideoStore
    object_store: "S3Store | None" = None
    receiving: ReceiveLimit = field(default_factory=ReceiveLimit)


def services() -> UploadServices:
    """Return the services of the app that is answering."""
    return current_services(UploadServices)


class StorageUnavailable(MatineeError):
    """The volume cannot be written; the log says why."""

    status = 503
    sentence = gettext_noop("Videos cannot be stored at the moment. Tell the administrator.")
    retry_after = 10


def settings() -> UploadSettings:
    """Return the settings of the app that is answering."""
    return services().settings


def upload_context() -> UploadContext:
    """Return what is needed for the caller's uploads, or raise :class:`StorageUnavailable`."""
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
        settings=found.settings,
        owner_id=require_viewer().id,
        object_store=found.object_store,
    )


def upload_slot(upload_id: str) -> AbstractContextManager[None]:
    """Count the request among those of the caller's account: see :meth:`ReceiveLimit.receiving`."""
    return services().receiving.receiving(require_viewer().id, upload_id)


def request_body() -> Body:
    """Return the body of the request that is being answered, the same object each time."""
    if "body" not in g:
        g.body = Body(request)
    body: Body = g.body
    return body
