"""The settings of the streaming service."""

from dataclasses import dataclass
from pathlib import Path

from common.settings import CommonSettings, Environment


@dataclass(frozen=True)
class StreamingSettings:
    """:ivar videos_dir: root of the videos' files, which this service only checks for."""

    common: CommonSettings
    videos_dir: Path

    @classmethod
    def read(cls, environment: Environment) -> "StreamingSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        return cls(
            CommonSettings.read(environment), videos_dir=Path(environment.text("VIDEOS_DIR"))
        )
