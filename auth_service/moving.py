"""How far the files of videos have come on their way to the object store."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session

from common.live import is_live
from common.storage.store_settings import Store
from common.storage.volume import ORIGINAL
from db.engine import transaction
from db.models import ObjectState, Rendition, StoredObject, Video, now

_WINDOW = timedelta(hours=1)
"""The speed is that of this time."""
_SHORTEST = timedelta(minutes=1)
_IS_CURRENT = StoredObject.state == ObjectState.CURRENT


@dataclass(frozen=True)
class Moving:
    """The object store, and what is on the way there.

    :ivar stored_bytes: of all files that are there.
    :ivar waiting: originals and renditions that are on the disk alone; smaller files are not
        counted. 0 if the disk is where files end up.
    :ivar speed: bytes per second in the last hour; None: nothing was moved.
    """

    stored_bytes: int
    waiting: int
    waiting_bytes: int
    speed: float | None

    @property
    def minutes_left(self) -> int | None:
        """Minutes until all are moved, at least 1; None: nothing waits, or nobody knows."""
        if not self.waiting or not self.speed:
            return None
        return max(1, math.ceil(self.waiting_bytes / self.speed / 60))


@transaction(writes=False)
def load_moving(session: Session, *, default_store: Store) -> Moving | None:
    """Return the state of the object store; None: files end up on the disk, and all are there."""
    stored = session.scalar(select(func.sum(StoredObject.size)).where(_IS_CURRENT))
    if default_store is Store.DISK:
        return None if stored is None else Moving(int(stored), 0, 0, None)
    originals = select(func.count(), func.sum(Video.size)).where(
        is_live(), ~_is_stored(Video.id, literal(ORIGINAL))
    )
    renditions = (
        select(func.count(), func.sum(Rendition.size))
        .join(Video, Video.id == Rendition.video_id)
        .where(is_live(), ~_is_stored(Video.id, literal("hls/") + Rendition.name + literal(".mp4")))
    )
    waiting = [session.execute(query).one() for query in (originals, renditions)]
    return Moving(
        stored_bytes=int(stored or 0),
        waiting=sum(count for count, _ in waiting),
        waiting_bytes=sum(int(size or 0) for _, size in waiting),
        speed=_speed(session),
    )


def _speed(session: Session) -> float | None:
    """Return bytes per second, from when the first file of the last hour had been moved.

    Of the files that are counted alone: many small ones would make the speed too low.
    """
    at = now()
    moved = select(func.sum(StoredObject.size), func.min(StoredObject.changed_at)).where(
        _IS_CURRENT, StoredObject.name.like("%.mp4"), StoredObject.changed_at > at - _WINDOW
    )
    size, first = session.execute(moved).one()
    return int(size) / max(at - first, _SHORTEST).total_seconds() if size else None


def _is_stored(video_id: Any, name: ColumnElement[str]) -> ColumnElement[bool]:
    return (
        select(StoredObject.id)
        .where(
            StoredObject.video_id == video_id,
            StoredObject.name == name,
            StoredObject.is_current.is_(True),
        )
        .exists()
    )
