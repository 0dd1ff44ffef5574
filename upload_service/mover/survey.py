"""Where the files are, whether they are whole, and what is in the store that nobody knows."""

import enum
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from common.live import is_live, is_live_video
from common.storage import objects
from common.storage.errors import ObjectMissing
from common.storage.movable import MovableFiles
from common.storage.object_files import ObjectFiles, WrongBytes
from common.storage.objects import CurrentObject
from common.storage.volume import ORIGINAL
from db.engine import Database, transaction
from db.models import ObjectState, StoredObject, Upload, Video
from upload_service.mover.backlog import videos_on_disk

_BATCH = 500


@dataclass
class Amount:
    """A number of files, and their bytes."""

    files: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        """Count one more file."""
        self.files += 1
        self.bytes += size


@dataclass(frozen=True)
class StorageStatus:
    """How much is where.

    :ivar disk: files that are on the disk alone.
    :ivar leftovers: files on the disk that are in the object store as well.
    :ivar current: objects that are the place of a file.
    :ivar retired: objects that were replaced, and are removed later.
    :ivar writing: objects that are being written; the bytes of these are not known.
    """

    disk: Amount = field(default_factory=Amount)
    leftovers: Amount = field(default_factory=Amount)
    current: Amount = field(default_factory=Amount)
    retired: Amount = field(default_factory=Amount)
    writing: Amount = field(default_factory=Amount)


def storage_status(database: Database, disk: MovableFiles) -> StorageStatus:
    """Count the files of live videos on the disk, and all objects by their rows."""
    found = StorageStatus(**_objects_by_state(database))
    for video in videos_on_disk(database, disk):
        for file in video.waiting:
            found.disk.add(file.size)
        for file, _ in video.leftovers:
            found.leftovers.add(file.size)
    return found


def verify(
    database: Database,
    disk: MovableFiles,
    files: ObjectFiles,
    *,
    full: bool,
    video_ids: Collection[str] | None = None,
) -> Iterator[tuple[str, str, str | None]]:
    """Check every object that is the place of a file, and that every video has its original.

    :param full: read every object and compare its SHA-256, instead of its length alone.
    :returns: yields video, name, and what is wrong or None.
    :raises StoreUnavailable, StoreRefused: the store cannot be read.
    """
    for batch in live_batches(database, video_ids):
        for video_id, stored in objects.current_by_video(database, video_ids=batch).items():
            for name, found in stored.items():
                problem = _problem(files, found, full=full)
                # Looked up again: it may have been replaced while this was reading.
                if problem and not _is_current(database, video_id=video_id, object_id=found.id):
                    problem = None
                yield video_id, name, problem
        for video_id in batch:
            if disk.find_file(video_id, ORIGINAL) is None and _has_no_original(
                database, video_id=video_id
            ):
                yield video_id, ORIGINAL, "it is neither on the disk nor in the object store"


class StrayKind(enum.StrEnum):
    """What an object is that has no row.

    `stray`: its file is elsewhere, or its video is gone; `rebuildable`: processing can make its
    file again, which is nowhere else; `unknown`: it is not ours, or may be the only copy of an
    original.
    """

    STRAY = "stray"
    REBUILDABLE = "rebuildable"
    UNKNOWN = "unknown"


def strays(
    database: Database, disk: MovableFiles, files: ObjectFiles
) -> Iterator[tuple[str, StrayKind]]:
    """Yield the key and the kind of each object of the store that has no row.

    An object that somebody writes has a row before it has bytes, so it is not among them. Those of
    unfinished uploads are not either: the upload's row stands for them.
    """
    keys = files.store.list_keys("")
    while batch := list(islice(keys, _BATCH)):
        known = objects.known_keys(database, keys=batch)
        for key in batch:
            if key not in known and (kind := _kind(database, disk, key)) is not None:
                yield key, kind


def _kind(database: Database, disk: MovableFiles, key: str) -> StrayKind | None:
    """Return the kind of an object that had no row a moment ago, or None if it is needed."""
    file = objects.parse_key(key)
    if file is None:
        return StrayKind.UNKNOWN
    video_id, name = file
    row = _row(database, public_id=video_id)
    if isinstance(row, Upload):
        return None
    if row is None:
        return StrayKind.UNKNOWN if name == ORIGINAL else StrayKind.STRAY
    if not is_live_video(row) or disk.find_file(video_id, name) is not None:
        return StrayKind.STRAY
    if found := objects.current_objects(database, video_id=video_id).get(name):
        return StrayKind.STRAY if found.key != key else None
    return StrayKind.UNKNOWN if name == ORIGINAL else StrayKind.REBUILDABLE


def _problem(files: ObjectFiles, found: CurrentObject, *, full: bool) -> str | None:
    try:
        files.check(found, full=full)
    except ObjectMissing:
        return "the object store has lost it"
    except WrongBytes as error:
        return str(error)
    return None


def live_batches(
    database: Database, video_ids: Collection[str] | None = None
) -> Iterator[list[str]]:
    """Yield the ids of all live videos, or of some, a few hundred at a time."""
    last = ""
    while batch := _live_after(database, last=last, video_ids=video_ids):
        yield batch
        last = batch[-1]


@transaction(writes=False)
def _live_after(session: Session, *, last: str, video_ids: Collection[str] | None) -> list[str]:
    wanted = select(Video.id).where(is_live(), Video.id > last).order_by(Video.id).limit(_BATCH)
    if video_ids is not None:
        wanted = wanted.where(Video.id.in_(video_ids))
    return list(session.scalars(wanted))


@transaction(writes=False)
def _is_current(session: Session, *, video_id: str, object_id: int) -> bool:
    current = objects.current_objects(session, video_id=video_id)
    return object_id in {found.id for found in current.values()}


@transaction(writes=False)
def _has_no_original(session: Session, *, video_id: str) -> bool:
    """Tell whether a video is live, and its original not in the store."""
    video = session.get(Video, video_id)
    if video is None or not is_live_video(video):
        return False
    return ORIGINAL not in objects.current_objects(session, video_id=video_id)


@transaction(writes=False)
def _row(session: Session, *, public_id: str) -> Upload | Video | None:
    """Return an upload, or the video that it has become."""
    return session.get(Upload, public_id) or session.get(Video, public_id)


@transaction(writes=False)
def _objects_by_state(session: Session) -> dict[str, Amount]:
    """Return the objects of each state that there are any of, by its word."""
    size = func.sum(StoredObject.size)
    wanted = select(StoredObject.state, func.count(), size).group_by(StoredObject.state)
    found = session.execute(wanted)
    return {ObjectState(state).value: Amount(count, int(b or 0)) for state, count, b in found}
