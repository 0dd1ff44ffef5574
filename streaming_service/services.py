"""What the views of the streaming service work with."""

from dataclasses import dataclass, field
from datetime import timedelta

from common.forecast import ForecastCache
from common.passwords import Passwords
from common.storage import Volume
from common.web.rate_limits import PasswordLimits, RateLimits
from common.web.services import Services, current_services
from streaming_service.event_stream_limits import EventStreamLimits
from streaming_service.processing.followed import FollowedVideos
from streaming_service.settings import StreamingSettings
from streaming_service.sharing.link_rules import LinkRules


@dataclass(kw_only=True)
class StreamingServices(Services):
    """The streaming service's settings and volume, and what each process keeps.

    :ivar forecasts: ETAs and queue positions of open jobs.
    :ivar followed: videos whose progress is told live.
    :ivar event_streams: how many event streams this process serves at once.
    :ivar passwords: of links.
    :ivar limits: on wrong passwords of links.
    :ivar rate_limits: counts other requests.
    """

    settings: StreamingSettings
    storage: Volume
    passwords: Passwords
    limits: PasswordLimits
    rate_limits: RateLimits
    forecasts: ForecastCache = field(default_factory=ForecastCache)
    followed: FollowedVideos = field(default_factory=FollowedVideos)
    event_streams: EventStreamLimits = field(default_factory=EventStreamLimits)

    @property
    def bin_days(self) -> int:
        """Days after which the janitor deletes what is in the bin."""
        return self.stores.site.current().bin_days

    @property
    def link_rules(self) -> LinkRules:
        """What the administrator asks of share links."""
        site = self.stores.site.current()
        seconds = site.link_max_age
        return LinkRules(
            max_age=None if seconds is None else timedelta(seconds=seconds),
            require_password=site.link_require_password,
            require_expiry=site.link_require_expiry,
        )


def services() -> StreamingServices:
    """Return the services of the app that is answering."""
    return current_services(StreamingServices)
