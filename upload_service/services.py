"""What the views of the upload service work with."""

from dataclasses import dataclass, field

from common.storage import IncomingStore, VideoStore
from common.web.services import Services, current_services
from upload_service.receive.limit import ReceiveLimit
from upload_service.settings import UploadSettings


@dataclass(kw_only=True)
class UploadServices(Services):
    """The upload service's settings and stores.

    :ivar receiving: limits how many uploads of one account are received at once.
    """

    settings: UploadSettings
    incoming: IncomingStore
    videos: VideoStore
    receiving: ReceiveLimit = field(default_factory=ReceiveLimit)


def services() -> UploadServices:
    """Return the services of the app that is answering."""
    return current_services(UploadServices)
