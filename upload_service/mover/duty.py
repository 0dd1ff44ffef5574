"""The duty of the mover: files go to the store if that is the default, and leftovers go."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy.exc import IntegrityError

from common.storage.errors import StoreRefused, StoreUnavailable
from common.storage.movable import DiskFile
from common.storage.objects import WRITE_LIMIT
from common.storage.volume import ORIGINAL
from upload_service.mover.backlog import DiskVideo, drop_leftover, videos_on_disk
from upload_service.mover.faults import Faults
from upload_service.mover.move import Mover, WrongOriginal
from upload_service.mover.pace import MovePaused, MoveStopped, Pace

_SWEEP_INTERVAL = 3600.0  # seconds between two looks for what killed fetches have left

log = structlog.get_logger()


@dataclass
class MoverDuty:
    """Moves the files of the whole site.

    :ivar moves: whether files go to the store; if not, only leftovers are removed.
    :ivar grace: how long a file that was moved stays on the disk too.
    :ivar is_mine: asked before each file: whether no other process has the duty. A copy that is
        under way is finished either way.
    """

    mover: Mover
    pace: Pace
    moves: bool
    grace: timedelta
    is_mine: Callable[[], bool] = lambda: True
    faults: Faults = field(default_factory=Faults)
    _next_sweep: float = 0.0

    def work(self) -> Counter[str]:
        """Look at all videos on the disk once, and return how often each thing was done.

        Videos whose original waits come first, and older videos before newer ones. What fails is
        logged, and tried again after a while.

        :raises DatabaseUnavailable, RedisError: everything must wait.
        """
        done: Counter[str] = Counter()
        waiting: list[DiskVideo] = []
        if time.monotonic() >= self._next_sweep:
            self.mover.disk.drop_old_fetches(age=WRITE_LIMIT.total_seconds())
            self._next_sweep = time.monotonic() + _SWEEP_INTERVAL
        for video in self._videos():
            done["leftover removed"] += self._drop_leftovers(video)
            if video.waiting and self.moves:
                waiting.append(video)
        try:
            for video in sorted(waiting, key=_turn):
                for file in video.waiting:
                    if not self.faults.may_try() or not self.is_mine():
                        return +done
                    done["file moved"] += self._move(file)
        except (MovePaused, MoveStopped):
            pass
        return +done

    def _videos(self) -> Iterator[DiskVideo]:
        disk = self.mover.disk
        for video in videos_on_disk(self.mover.stores.database, disk):
            if self.pace.stop.is_set() or not self.is_mine():
                return
            yield video

    def _drop_leftovers(self, video: DiskVideo) -> int:
        database, dropped = self.mover.stores.database, 0
        for file in video.old_leftovers(self.grace):
            try:
                dropped += drop_leftover(
                    database, disk=self.mover.disk, file=file, grace=self.grace
                )
            except OSError as error:
                log.error("a leftover cannot be removed", file=str(file.path), detail=str(error))
        return dropped

    def _move(self, file: DiskFile) -> bool:
        key = f"{file.video_id}/{file.name}"
        if not self.faults.may_try(key):
            return False
        try:
            moved = self.mover.to_store(file, advance=self.pace.begin())
        except (FileNotFoundError, IntegrityError):
            return False  # the video was deleted, or the file replaced
        except (OSError, StoreRefused, StoreUnavailable, WrongOriginal) as error:
            self.faults.failed(key, error)
            return False
        self.faults.succeeded(key)
        if moved:
            log.info("file moved", id=file.video_id, name=file.name, size=file.size)
        return moved


def _turn(video: DiskVideo) -> tuple[bool, object]:
    return video.waiting[0].name != ORIGINAL, video.created_at
