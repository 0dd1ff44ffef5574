"""What the streaming service needs to know."""

from dataclasses import dataclass
from pathlib import Path

from common.settings import CommonSettings, Environment


@dataclass(frozen=True)
class StreamingSettings:
    """:param sends_bytes: whether this process sends the bytes of videos itself (standalone); if
    not, it only answers the gateway's question whether somebody may have them.
    :param streams: how many pages each process shows live: standalone each takes a thread, and
        behind the gateway a greenlet.
    """

    common: CommonSettings
    videos_dir: Path
    sends_bytes: bool
    streams: int = 16

    @classmethod
    def read(cls, environment: Environment) -> "StreamingSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        delivery = environment.choice("DELIVERY", ("direct", "gateway"), "direct")
        is_direct = delivery == "direct"
        threads = environment.number("THREADS", 64, min_value=1, max_value=10_000)
        return cls(
            CommonSettings.read(environment),
            videos_dir=Path(environment.text("VIDEOS_DIR")),
            sends_bytes=is_direct,
            streams=max(1, threads // 4) if is_direct else 1000,
        )
