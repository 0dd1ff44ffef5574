"""What the streaming service needs to know."""

from dataclasses import dataclass
from pathlib import Path

from common.settings import CommonSettings, Environment


@dataclass(frozen=True)
class StreamingSettings:
    """:param sends_bytes: whether this process sends the bytes of videos itself (standalone); if
    not, it only answers the gateway's question whether somebody may have them.
    """

    common: CommonSettings
    videos_dir: Path
    sends_bytes: bool

    @property
    def streams(self) -> int:
        """How many pages each process shows live: a thread each here, a greenlet each there."""
        return 16 if self.sends_bytes else 1000

    @classmethod
    def read(cls, environment: Environment) -> "StreamingSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        delivery = environment.choice("DELIVERY", ("direct", "gateway"), "direct")
        return cls(
            CommonSettings.read(environment),
            videos_dir=Path(environment.text("VIDEOS_DIR")),
            sends_bytes=delivery == "direct",
        )
