"""What the transcode service needs to know."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from common.formats import read_formats
from common.settings import CommonSettings, Environment
from common.storage import RESERVED_SPACE
from common.storage.store_settings import StoreSettings
from transcode_service.media.source_info import SandboxLimits


@dataclass(frozen=True)
class TranscodeSettings:
    """:param scratch_dir: for copies of originals that are in the object store.
    :param scratch_size: bytes that they may take together.
    :param store: where files are kept.
    :param workers: jobs that this service works on at once; each runs one ffmpeg at a time.
    :param limits: of each ffmpeg.
    """

    common: CommonSettings
    videos_dir: Path
    scratch_dir: Path
    scratch_size: int
    store: StoreSettings = field(default_factory=StoreSettings)
    workers: int = 1
    limits: SandboxLimits = field(default_factory=lambda: SandboxLimits(reserve=RESERVED_SPACE))

    @classmethod
    def read(cls, environment: Environment) -> "TranscodeSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        cores = os.cpu_count() or 1
        workers = environment.number("TRANSCODE_WORKERS", 1, min_value=1, max_value=64)
        # Together no more than the processors there are.
        threads = environment.number(
            "TRANSCODE_THREADS", max(1, min(cores // workers, 16)), min_value=1, max_value=64
        )
        videos_dir = Path(environment.text("VIDEOS_DIR"))
        return cls(
            CommonSettings.read(environment),
            videos_dir=videos_dir,
            scratch_dir=Path(environment.text("SCRATCH_DIR", str(videos_dir / ".scratch"))),
            scratch_size=environment.size("SCRATCH_SIZE", "50g"),
            store=StoreSettings.read(environment),
            workers=workers,
            limits=SandboxLimits(
                threads=threads, formats=read_formats(environment), reserve=RESERVED_SPACE
            ),
        )
