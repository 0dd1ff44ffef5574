"""The settings of the streaming service."""

from dataclasses import dataclass
from pathlib import Path

from common.settings import BIN_DAYS, CommonSettings, Environment, read_bin_days


@dataclass(frozen=True)
class StreamingSettings:
    """:ivar videos_dir: root of the videos' files, which this service only checks for.
    :ivar bin_days: days after which the janitor deletes what is in the bin.
    """

    common: CommonSettings
    videos_dir: Path
    bin_days: int = BIN_DAYS

    @classmethod
    def read(cls, environment: Environment) -> "StreamingSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        return cls(
            CommonSettings.read(environment),
            videos_dir=Path(environment.text("VIDEOS_DIR")),
            bin_days=read_bin_days(environment),
        )
