"""What the views of the streaming service work with."""

from dataclasses import dataclass
from threading import BoundedSemaphore

from common.storage import MediaStorage
from common.web.services import Services, current_services
from streaming_service.settings import StreamingSettings


@dataclass(kw_only=True)
class StreamingServices(Services):
    """The streaming service's settings and volume.

    :ivar streams: limits how many event streams this process serves at once.
    """

    settings: StreamingSettings
    storage: MediaStorage
    streams: BoundedSemaphore


def services() -> StreamingServices:
    """Return the services of the app that is answering."""
    return current_services(StreamingServices)
