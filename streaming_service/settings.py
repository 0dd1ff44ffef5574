"""The settings of the streaming service."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from common.settings import BIN_DAYS, CommonSettings, Environment, read_bin_days
from streaming_service.sharing.link_rules import LinkRules


@dataclass(frozen=True)
class StreamingSettings:
    """What the streaming service needs to know, besides what every service does.

    :ivar videos_dir: root of the videos' files, which this service only checks for.
    :ivar bin_days: days after which the janitor deletes what is in the bin.
    :ivar link_rules: what is asked of share links.
    :ivar user_directory: whether names of people are suggested to those who share something.
    :ivar embed_origins: the sites that may show videos in a frame; none by default.
    """

    common: CommonSettings
    videos_dir: Path
    bin_days: int = BIN_DAYS
    link_rules: LinkRules = field(default_factory=LinkRules)
    user_directory: bool = True
    embed_origins: tuple[str, ...] = ()

    @property
    def frame_ancestors(self) -> str:
        """The sites that may show videos in a frame, as Content-Security-Policy writes them."""
        return " ".join(self.embed_origins) or "'none'"

    @classmethod
    def read(cls, environment: Environment) -> "StreamingSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        directory = environment.choice("USER_DIRECTORY", ("on", "off"), "on")
        return cls(
            CommonSettings.read(environment),
            videos_dir=Path(environment.text("VIDEOS_DIR")),
            bin_days=read_bin_days(environment),
            link_rules=_read_link_rules(environment),
            user_directory=directory == "on",
            embed_origins=environment.origins("EMBED_ORIGINS"),
        )


def _read_link_rules(environment: Environment) -> LinkRules:
    limited = environment.text("LINK_MAX_AGE", "") != ""
    seconds = environment.duration("LINK_MAX_AGE", "") if limited else None
    return LinkRules(
        max_age=None if seconds is None else timedelta(seconds=seconds),
        require_password=environment.flag("LINK_REQUIRE_PASSWORD", default=False),
        require_expiry=environment.flag("LINK_REQUIRE_EXPIRY", default=False),
    )
