"""The settings of the streaming service."""

from dataclasses import dataclass, field
from pathlib import Path

from common.settings import CommonSettings, Environment, SettingsError
from common.storage.store_settings import StoreSettings
from streaming_service.delivery.cdn import CdnSettings


@dataclass(frozen=True)
class StreamingSettings:
    """What the streaming service needs to know, besides what every service does.

    :ivar videos_dir: root of the videos' files, which this service only checks for.
    :ivar user_directory: whether names of people are suggested to those who share something.
    :ivar embed_origins: the sites that may show videos in a frame; none by default.
    :ivar store: where the files of videos are.
    :ivar cdn: the CDN in front of the object store.
    """

    common: CommonSettings
    videos_dir: Path
    user_directory: bool = True
    embed_origins: tuple[str, ...] = ()
    store: StoreSettings = field(default_factory=StoreSettings)
    cdn: CdnSettings | None = None

    @property
    def media_origins(self) -> str:
        """Where pages may get video from, besides this site, as Content-Security-Policy says it."""
        return "" if self.cdn is None else self.cdn.origin

    @property
    def frame_ancestors(self) -> str:
        """The sites that may show videos in a frame, as Content-Security-Policy writes them."""
        return " ".join(self.embed_origins) or "'none'"

    @classmethod
    def read(cls, environment: Environment) -> "StreamingSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        directory = environment.choice("USER_DIRECTORY", ("on", "off"), "on")
        store, cdn = StoreSettings.read(environment), CdnSettings.read(environment)
        if cdn is not None and store.s3 is None:
            raise SettingsError("CDN is set, but no object store from which it could read.")
        return cls(
            CommonSettings.read(environment),
            videos_dir=Path(environment.text("VIDEOS_DIR")),
            user_directory=directory == "on",
            embed_origins=environment.origins("EMBED_ORIGINS"),
            store=store,
            cdn=cdn,
        )
