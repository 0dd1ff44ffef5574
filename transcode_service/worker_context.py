"""What a worker works with, put together once per process."""

import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from redis import Redis

from common.storage import AttemptStore
from common.storage.object_files import ObjectFiles
from common.storage.scratch import Scratch
from common.storage.store_settings import Store
from common.stores import Stores
from common.stores.video_cache import VideoCache
from db.engine import Database
from transcode_service.media.source_info import SandboxLimits
from transcode_service.settings import TranscodeSettings


@dataclass(frozen=True)
class WorkerContext:
    """The stores, the limits of ffmpeg, and the worker's name.

    :ivar storage: the volume, or with `store` S3 perhaps a folder of this machine's own.
    :ivar objects: the files in the object store, or None if the settings name none.
    :ivar store: where files are published.
    :ivar stopping: set when this worker is to end: it hands its job back.
    """

    database: Database
    redis: Redis
    videos: VideoCache
    storage: AttemptStore
    scratch: Scratch
    limits: SandboxLimits
    name: str
    stopping: threading.Event = field(default_factory=threading.Event)
    objects: ObjectFiles | None = None
    store: Store = Store.DISK

    @classmethod
    def of(
        cls, settings: TranscodeSettings, *, name: str, stopping: threading.Event | None = None
    ) -> "WorkerContext":
        """Make the clients; nothing is connected to before the first use.

        :raises SettingsError: the settings name an object store, and boto3 is not installed.
        """
        stores = Stores.of(settings.common)
        bucket = settings.store.connect()
        return cls(
            database=stores.database,
            redis=stores.redis,
            videos=stores.videos,
            storage=AttemptStore(settings.videos_dir),
            scratch=Scratch(settings.scratch_dir, settings.scratch_size),
            objects=None if bucket is None else ObjectFiles(stores.database, bucket),
            store=settings.store.default,
            limits=settings.limits,
            name=name,
            stopping=stopping or threading.Event(),
        )

    @property
    def publishes_to(self) -> ObjectFiles | None:
        """Where files are published, or None if that is the disk."""
        return self.objects if self.store is Store.S3 else None

    def changing(self, video_id: str) -> AbstractContextManager[None]:
        """Keep the cached entry of a video out of use while its files change their places.

        :raises redis.exceptions.RedisError: before the change, which then must not happen.
        """
        return nullcontext() if self.objects is None else self.videos.changing([video_id])

    def check_storage(self) -> None:
        """Find out whether attempts can be made.

        :raises StorageError: the volume is missing, or the folder that stands for it.
        """
        if self.store is Store.S3:
            self.storage.check_attempts()
        else:
            self.storage.check(writable=True)
