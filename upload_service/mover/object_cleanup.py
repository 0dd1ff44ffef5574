"""Removes objects that nobody needs: retired, given up, of deleted videos, and unfinished parts."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import not_, select
from sqlalchemy.orm import Session

from common.live import is_live, is_live_video
from common.storage import objects
from common.storage.errors import StoreRefused, StoreUnavailable
from common.storage.movable import MovableFiles
from common.storage.object_files import ObjectFiles
from common.storage.objects import OpenObject
from common.stores import Stores
from db.engine import transaction
from db.models import StoredObject, Video
from upload_service.mover.faults import Faults

if TYPE_CHECKING:
    from common.storage.s3 import UnfinishedUpload

_BATCH = 500
_PARTS_INTERVAL = 3600.0  # seconds between two looks at unfinished uploads

log = structlog.get_logger()


@dataclass
class ObjectCleaner:
    """Cleans one store.

    :ivar grace: how long an object that was replaced stays.
    :ivar expires: the age at which an unfinished upload that has no row is aborted.
    :ivar stopping: called between two steps; a pass ends early when it returns true.
    """

    stores: Stores
    disk: MovableFiles
    files: ObjectFiles
    grace: timedelta
    expires: timedelta
    stopping: Callable[[], bool] = lambda: False
    faults: Faults = field(default_factory=Faults)
    _next_parts: float = 0.0

    def clean(self) -> Counter[str]:
        """Remove what can be removed once, and return how often each thing was done.

        What fails is logged, and tried again after a while.

        :raises DatabaseUnavailable, RedisError: everything must wait.
        """
        done: Counter[str] = Counter()
        database = self.stores.database
        for video_id in _unwanted_videos(database):
            with self.stores.videos.changing([video_id]):
                if not _retire_video(database, video_id=video_id):
                    continue
            for found in objects.objects_of(database, video_id=video_id):
                done["object of a deleted video removed"] += self._remove(found)
        for found in objects.removable(database, grace=self.grace, limit=_BATCH):
            if self._is_needed(found):
                objects.postpone(database, object_id=found.id)
                log.error("an object is all that is left of a file; it is kept", key=found.key)
            else:
                done["object removed"] += self._remove(found)
        if time.monotonic() >= self._next_parts and self.faults.may_try():
            done["unfinished upload aborted"] += self._abort_parts()
            self._next_parts = time.monotonic() + _PARTS_INTERVAL
        return +done

    def _is_needed(self, found: OpenObject) -> bool:
        """Tell whether a retired object's file is not on the disk, where it must be."""
        file = objects.sole_object(self.stores.database, object_id=found.id)
        return file is not None and self.disk.find_file(*file) is None

    def _remove(self, found: OpenObject) -> bool:
        return self._try(found.key, partial(self.files.remove, found))

    def _abort_parts(self) -> int:
        deadline = datetime.now(UTC) - self.expires
        unfinished: list[UnfinishedUpload] = []

        def look() -> None:
            listed = self.files.store.list_multiparts("")
            unfinished.extend(upload for upload in listed if upload.begun <= deadline)

        self._try("unfinished uploads", look)
        known = objects.known_keys(self.stores.database, keys=[upload.key for upload in unfinished])
        return sum(
            self._try(upload.key, partial(self.files.abort, upload))
            for upload in unfinished
            if upload.key not in known
        )

    def _try(self, key: str, work: Callable[[], bool | None]) -> bool:
        """Do some work unless it must wait; tell whether it was done. It may return False too."""
        if self.stopping() or not self.faults.may_try() or not self.faults.may_try(key):
            return False
        try:
            done = work() is not False
        except (StoreRefused, StoreUnavailable) as error:
            self.faults.failed(key, error)
            return False
        self.faults.succeeded(key)
        return done


@transaction(writes=False)
def _unwanted_videos(session: Session) -> list[str]:
    """Return videos that are not live and still have objects."""
    has_objects = select(StoredObject.id).where(StoredObject.video_id == Video.id).exists()
    return list(session.scalars(select(Video.id).where(not_(is_live()), has_objects).limit(_BATCH)))


@transaction(writes=True)
def _retire_video(session: Session, *, video_id: str) -> bool:
    """Retire all objects of a video that is not live; tell whether it is not."""
    video = session.get(Video, video_id, with_for_update=True)
    if video is None or is_live_video(video):
        return False
    objects.retire_all(session, video_id=video_id)
    return True
