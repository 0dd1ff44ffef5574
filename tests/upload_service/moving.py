"""A site whose videos are moved to an object store and back, and faults at chosen moments."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

from common.ids import new_id
from common.storage import objects
from common.storage.movable import MovableFiles
from common.storage.object_files import ObjectFiles
from common.storage.objects import WRITE_LIMIT
from common.storage.s3 import S3Store
from common.storage.s3_settings import S3Settings
from common.stores import Stores
from db.engine import Database
from db.models import ObjectState, StoredObject, Video
from upload_service.mover.duty import MoverDuty
from upload_service.mover.move import Mover
from upload_service.mover.object_cleanup import ObjectCleaner
from upload_service.mover.pace import Pace

NO_TIME = timedelta(0)


@dataclass
class MovingSite:
    """Videos, the disk and the store; and whoever works on them.

    :ivar store: may be one that fails.
    """

    stores: Stores
    disk: MovableFiles
    settings: S3Settings
    store: S3Store
    owner_id: int
    stop: threading.Event = field(default_factory=threading.Event)
    paused: bool = False

    @property
    def database(self) -> Database:
        return self.stores.database

    @property
    def files(self) -> ObjectFiles:
        return ObjectFiles(self.database, self.store)

    @property
    def mover(self) -> Mover:
        return Mover(self.stores, self.disk, self.files)

    @property
    def pace(self) -> Pace:
        return Pace(self.stop, rate=lambda: None, is_paused=lambda: self.paused)

    def duty(self, *, moves: bool = True, grace: timedelta = NO_TIME) -> MoverDuty:
        return MoverDuty(self.mover, self.pace, moves=moves, grace=grace)

    def cleaner(self, *, grace: timedelta = NO_TIME) -> ObjectCleaner:
        return ObjectCleaner(
            self.stores, self.disk, self.files, grace=grace, expires=timedelta(days=7)
        )

    def add_video(self, files: Mapping[str, bytes], **values: Any) -> str:
        """Add a video whose files are on the disk."""
        video_id = new_id()
        original = files["original.mp4"]
        known = {
            "title": "Harbour",
            "owner_id": self.owner_id,
            "size": len(original),
            "sha256": sha256(original),
            **values,
        }
        self.database.write(lambda session: session.add(Video(id=video_id, **known)))
        for name, content in files.items():
            self.write(video_id, name, content)
        return video_id

    def write(self, video_id: str, name: str, content: bytes) -> None:
        """Put a file on the disk, as publishing does."""
        place = self.disk.root / video_id / name
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(".new")
        fresh.write_bytes(content)
        fresh.rename(place)

    def read(self, video_id: str, name: str) -> bytes:
        """Return a file's bytes from where its row says they are."""
        found = self.current(video_id).get(name)
        if found is not None:
            return self.store.get(found.key).body
        return (self.disk.root / video_id / name).read_bytes()

    def current(self, video_id: str) -> dict[str, objects.CurrentObject]:
        return objects.current_objects(self.database, video_id=video_id)

    def on_disk(self, video_id: str) -> list[str]:
        """Every file in a video's folder, hidden ones included."""
        folder = self.disk.root / video_id
        return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())

    def rows(self, video_id: str) -> list[StoredObject]:
        return self.database.read(
            lambda session: session.query(StoredObject).filter_by(video_id=video_id).all()
        )

    def change(self, video_id: str, **values: Any) -> None:
        self.database.write(
            lambda session: session.query(Video).filter_by(id=video_id).update(values)
        )

    def let_time_pass(self, time: timedelta = WRITE_LIMIT + timedelta(minutes=1)) -> None:
        """Let everything that was done to objects be long ago."""

        def change(session: Any) -> None:
            for row in session.query(StoredObject):
                row.changed_at -= time

        self.database.write(change)

    def assert_tidy(self) -> None:
        """Nothing is in the store but current objects, and no row but theirs."""
        rows = self.database.read(lambda session: session.query(StoredObject).all())
        assert {row.state for row in rows} <= {ObjectState.CURRENT}
        assert sorted(self.store.list_keys("")) == sorted(row.key for row in rows)
        assert list(self.store.list_multiparts("")) == []


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Killed(BaseException):
    """The process was killed."""


# What changes nothing: a kill before it or after it leaves what a kill at the next moment leaves.
READS = {"read", "head", "list_keys", "list_multiparts", "list_videos", "list_files"}
READS |= {"find_file", "free_bytes"}


@dataclass
class KillSwitch:
    """Kills at one moment: before a call of a store, the database or the disk, or after one that is
    a part of another. After any other call the next moment is the one before the next call.

    :ivar at: which moment, counted from 1; None: never.
    """

    at: int | None = None
    moments: int = 0
    dead: bool = False
    _depth: int = 0

    def step(self, work: Callable[[], Any], *, reads: bool) -> Any:
        """Make a call."""
        if self.dead:
            raise Killed
        if not reads:
            self._moment()
        self._depth += 1
        try:
            result = work()
        finally:
            self._depth -= 1
        if self._depth and not reads:
            self._moment()
        return result

    def site(self, site: MovingSite) -> MovingSite:
        """Return the same site as a process sees it that is killed."""
        database = cast(Database, _Steps(site.database, self))
        return replace(
            site,
            stores=replace(site.stores, database=database),
            disk=cast(MovableFiles, _Steps(site.disk, self)),
            store=cast(S3Store, _Steps(site.store, self)),
        )

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self.at:
            self.dead = True
            raise Killed


class _Steps:
    """An object whose methods are steps."""

    def __init__(self, target: Any, switch: KillSwitch) -> None:
        self._target, self._switch = target, switch

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            def work() -> Any:
                result = found(*args, **options)
                return iter(list(result)) if isinstance(result, Iterator) else result

            return self._switch.step(work, reads=name in READS)

        return call
