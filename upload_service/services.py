"""What the views of the upload service work with."""

import threading
from dataclasses import dataclass

from common.storage import MediaStorage
from common.web.services import Services, current_services
from upload_service.settings import UploadSettings


@dataclass(kw_only=True)
class UploadServices(Services):
    """The upload service's settings and volume.

    :ivar slots: limits how many uploads hold a thread; None where they hold none.
    """

    settings: UploadSettings
    storage: MediaStorage
    slots: threading.BoundedSemaphore | None


def services() -> UploadServices:
    """Return the services of the app that is answering."""
    return current_services(UploadServices)
