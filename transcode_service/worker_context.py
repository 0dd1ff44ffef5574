"""What a worker works with, put together once per process."""

import threading
from dataclasses import dataclass, field

from redis import Redis

from common.storage import AttemptStore
from common.stores import Stores
from common.stores.video_cache import VideoCache
from db.engine import Database
from transcode_service.media.source_info import SandboxLimits
from transcode_service.settings import TranscodeSettings


@dataclass(frozen=True)
class WorkerContext:
    """The stores, the limits of ffmpeg, and the worker's name.

    :ivar name: of this worker, as rows of `jobs` record who holds them.
    :ivar stopping: set when this worker is to end: it hands its job back.
    """

    database: Database
    redis: Redis
    videos: VideoCache
    storage: AttemptStore
    limits: SandboxLimits
    name: str
    stopping: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(
        cls, settings: TranscodeSettings, *, name: str, stopping: threading.Event | None = None
    ) -> "WorkerContext":
        """Make the clients; nothing is connected to before the first use."""
        stores = Stores.of(settings.common)
        return cls(
            database=stores.database,
            redis=stores.redis,
            videos=stores.videos,
            storage=AttemptStore(settings.videos_dir),
            limits=settings.limits,
            name=name,
            stopping=stopping or threading.Event(),
        )
