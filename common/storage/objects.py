"""The rows of objects: which file of a video is in the object store, and under which key.

A file without a current object is on the disk. A new version of a file is a new object:

1. :func:`begin` inserts a row in the state `writing`, and the bytes are written to its key.
2. In the transaction that publishes the file, which locks the video, :func:`make_current` makes it
   the file's object and retires the one before; :func:`retire` says that the file is on the disk.
3. Whoever cleans up deletes the bytes of retired objects some time later, then their rows, and
   those of objects that nobody goes on writing.

So whatever is killed at whatever moment, the current object is whole, and no object lacks a row.
Whoever changes which object is current calls `VideoCache.changing` around the transaction: the
cached entry of a video holds the keys.
"""

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from common.ids import PATTERN
from common.live import is_live_video
from common.storage.volume import ORIGINAL, PUBLISHED_NAME
from db.engine import transaction
from db.models import ObjectState, StoredObject, Upload, Video, now

WRITE_LIMIT = timedelta(hours=1)
"""An object that is being written counts as given up when its row was not renewed for so long."""


_KEY = re.compile(rf"({PATTERN})/[0-9a-f]{{16}}/({PUBLISHED_NAME.pattern})")


@dataclass(frozen=True)
class CurrentObject:
    """Where a file is in the store.

    :ivar size: in bytes.
    :ivar sha256: of its bytes, in hexadecimal; None: nobody has read them all yet.
    :ivar since: when it became the file's object.
    """

    id: int
    key: str
    size: int
    sha256: str | None
    since: datetime


@dataclass(frozen=True)
class OpenObject:
    """An object in whatever state: its row, and where its bytes are."""

    id: int
    key: str


def parse_key(key: str) -> tuple[str, str] | None:
    """Return the video and the name of the file that a key is for, or None if it is not ours."""
    match = _KEY.fullmatch(key)
    return (match[1], match[2]) if match else None


def new_key(video_id: str, name: str) -> str:
    """Return a key for a new version of a file: its bytes never change, so it can be cached."""
    return f"{video_id}/{secrets.token_hex(8)}/{name}"


@transaction(writes=True)
def begin(session: Session, *, video_id: str, name: str) -> OpenObject:
    """Record that an object is going to be written.

    :raises sqlalchemy.exc.IntegrityError: there is no such video.
    """
    row = StoredObject(video_id=video_id, name=name, key=new_key(video_id, name))
    session.add(row)
    session.flush()
    return OpenObject(row.id, row.key)


@transaction(writes=True)
def renew(session: Session, *, object_id: int) -> None:
    """Record that an object is still being written. Due well within :data:`WRITE_LIMIT`."""
    session.execute(
        update(StoredObject)
        .where(StoredObject.id == object_id, StoredObject.state == ObjectState.WRITING)
        .values(changed_at=now())
    )


def add_original(
    session: Session, *, video_id: str, key: str, size: int, sha256: str | None
) -> None:
    """Make an object that was written before its video was there the video's original.

    :param sha256: None if nobody has read all its bytes.
    """
    row = StoredObject(video_id=video_id, name=ORIGINAL, key=key, size=size, sha256=sha256)
    row.state, row.is_current = ObjectState.CURRENT, True
    session.add(row)


def record_sha256(session: Session, *, video_id: str, size: int, sha256: str) -> None:
    """Record the checksum of an original in the store, if it was not known."""
    session.execute(
        update(StoredObject)
        .where(
            StoredObject.video_id == video_id,
            StoredObject.name == ORIGINAL,
            StoredObject.is_current.is_(True),
            StoredObject.size == size,
            StoredObject.sha256.is_(None),
        )
        .values(sha256=sha256)
    )


def make_current(session: Session, *, object_id: int, size: int, sha256: str) -> bool:
    """Make an object that is all written the one of its file, and retire the one before.

    The caller has locked the video.

    :returns: whether it is current now: it is not if its row was removed meanwhile.
    """
    row = session.get(StoredObject, object_id, with_for_update=True)
    if row is None or row.state is ObjectState.RETIRED:
        return False
    if row.state is ObjectState.CURRENT:  # the transaction was run again
        return True
    retire(session, video_id=row.video_id, names=[row.name])
    row.size, row.sha256 = size, sha256
    row.state, row.is_current, row.changed_at = ObjectState.CURRENT, True, now()
    session.flush()
    return True


def retire(session: Session, *, video_id: str, names: Collection[str]) -> None:
    """Record that files are on the disk from now on. The caller has locked the video."""
    session.execute(
        update(StoredObject)
        .where(
            StoredObject.video_id == video_id,
            StoredObject.name.in_(names),
            StoredObject.is_current.is_(True),
        )
        .values(state=ObjectState.RETIRED, is_current=None, changed_at=now())
    )


def retire_all(session: Session, *, video_id: str) -> None:
    """Record that nobody needs any object of a video. The caller has locked it; it is not live."""
    session.execute(
        update(StoredObject)
        .where(StoredObject.video_id == video_id)
        .values(state=ObjectState.RETIRED, is_current=None, changed_at=now())
    )


@transaction(writes=False)
def current_objects(session: Session, *, video_id: str) -> dict[str, CurrentObject]:
    """Return the files of a video that are in the store, by name."""
    return current_by_video(session, video_ids=[video_id]).get(video_id, {})


@transaction(writes=False)
def current_by_video(
    session: Session, *, video_ids: Collection[str]
) -> dict[str, dict[str, CurrentObject]]:
    """Return the files of videos that are in the store, by video and name."""
    rows = session.scalars(
        select(StoredObject).where(
            StoredObject.video_id.in_(video_ids), StoredObject.is_current.is_(True)
        )
    )
    found: dict[str, dict[str, CurrentObject]] = {}
    for row in rows:
        found.setdefault(row.video_id, {})[row.name] = CurrentObject(
            row.id, row.key, row.size or 0, row.sha256, row.changed_at
        )
    return found


@transaction(writes=False)
def known_keys(session: Session, *, keys: Collection[str]) -> set[str]:
    """Return which of some keys are those of objects, or of what uploads write in parts."""
    stored = select(StoredObject.key).where(StoredObject.key.in_(keys))
    uploads = select(Upload.multipart_key).where(Upload.multipart_key.in_(keys))
    return {str(key) for wanted in (stored, uploads) for key in session.scalars(wanted)}


@transaction(writes=False)
def removable(session: Session, *, grace: timedelta, limit: int) -> list[OpenObject]:
    """Return objects whose bytes nobody needs: retired for some time, or given up in writing."""
    at = now()
    found: list[OpenObject] = []
    for state, since in ((ObjectState.RETIRED, grace), (ObjectState.WRITING, WRITE_LIMIT)):
        wanted = (
            select(StoredObject.id, StoredObject.key)
            .where(StoredObject.state == state, StoredObject.changed_at <= at - since)
            .limit(limit)
        )
        found += [OpenObject(object_id, key) for object_id, key in session.execute(wanted)]
    return found[:limit]


@transaction(writes=True)
def postpone(session: Session, *, object_id: int) -> None:
    """Let a retired object stay for the time of grace once more."""
    session.execute(
        update(StoredObject)
        .where(StoredObject.id == object_id, StoredObject.state == ObjectState.RETIRED)
        .values(changed_at=now())
    )


@transaction(writes=False)
def objects_of(session: Session, *, video_id: str) -> list[OpenObject]:
    """Return every object of a video, in whatever state."""
    wanted = select(StoredObject.id, StoredObject.key).where(StoredObject.video_id == video_id)
    return [OpenObject(object_id, key) for object_id, key in session.execute(wanted)]


@transaction(writes=False)
def sole_object(session: Session, *, object_id: int) -> tuple[str, str] | None:
    """Return which file of which live video an object was, if no other object is that file now.

    That file must be on the disk, or the object is what is left of it. None also for an object that
    was never current.
    """
    row = session.get(StoredObject, object_id)
    if row is None or row.size is None:
        return None
    video = session.get(Video, row.video_id)
    if video is None or not is_live_video(video):
        return None
    current = current_objects(session, video_id=row.video_id)
    return None if row.name in current else (row.video_id, row.name)


@transaction(writes=True)
def give_up(session: Session, *, object_id: int) -> bool:
    """Retire an object unless it is current, so that nobody makes it current any more.

    Call it before its bytes are deleted.

    :returns: whether the bytes may be deleted.
    """
    row = session.get(StoredObject, object_id, with_for_update=True)
    if row is None:  # somebody else has removed it; bytes may have come after that
        return True
    if row.is_current:
        return False
    row.state = ObjectState.RETIRED
    return True


@transaction(writes=True)
def forget(session: Session, *, object_id: int) -> None:
    """Remove the row of an object whose bytes are deleted."""
    session.execute(delete(StoredObject).where(StoredObject.id == object_id))
