"""Moves all files of some videos, or of all, when the operator says so."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from common.live import is_live, is_live_video
from common.storage import StorageFull, objects
from common.storage.errors import StoreRefused
from common.storage.object_files import Advance, WrongBytes
from common.storage.objects import CurrentObject
from common.storage.store_settings import Store
from db.engine import transaction
from db.models import StoredObject, Video
from upload_service.mover.backlog import videos_on_disk
from upload_service.mover.move import Mover, WrongOriginal
from upload_service.mover.pace import Pace

_TELL_EVERY = 2.0  # seconds


@dataclass
class BulkMove:
    """A move of many files.

    :ivar files: how many there are.
    :ivar bytes: how large they are together.
    :ivar moved_files: how many were switched; others had changed meanwhile, or failed.
    :ivar failed: what went wrong, by `<video>/<name>`.
    """

    files: int = 0
    bytes: int = 0
    done_files: int = 0
    done_bytes: int = 0
    moved_files: int = 0
    moved_bytes: int = 0
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _OneMove:
    video_id: str
    name: str
    size: int
    run: Callable[..., bool]  # takes `advance`


def move_files(
    mover: Mover,
    pace: Pace,
    to: Store,
    *,
    video_ids: Collection[str] | None,
    tell: Callable[[BulkMove], None],
) -> BulkMove:
    """Move the files of videos to a store, one after the other; what fails is told at the end.

    :param video_ids: None: all.
    :param tell: is called every few seconds, and at the end.
    :raises StoreUnavailable, DatabaseUnavailable: what was moved stays moved.
    :raises StorageFull: the disk has no space for the next file.
    """
    plan = _to_disk(mover, video_ids) if to is Store.DISK else _to_store(mover, video_ids)
    state = BulkMove(len(plan), sum(one.size for one in plan))
    tell_at = time.monotonic() + _TELL_EVERY

    def tell_progress(done: int) -> None:
        nonlocal tell_at
        state.done_bytes = before + done
        if time.monotonic() >= tell_at:
            tell(state)
            tell_at = time.monotonic() + _TELL_EVERY
        advance(done)

    for one in plan:
        before = state.done_bytes
        advance = pace.begin()
        moved = _attempt(one, tell_progress, state)
        state.done_files += 1
        state.done_bytes = before + one.size
        state.moved_files += moved
        state.moved_bytes += one.size if moved else 0
    tell(state)
    return state


def _attempt(one: _OneMove, advance: Advance, state: BulkMove) -> bool:
    try:
        return one.run(advance=advance)
    except (FileNotFoundError, IntegrityError):
        return False  # the video was deleted, or the file replaced
    except StorageFull:
        raise
    except (OSError, StoreRefused, WrongBytes, WrongOriginal) as error:
        state.failed[f"{one.video_id}/{one.name}"] = str(error)
        return False


def _to_store(mover: Mover, video_ids: Collection[str] | None) -> list[_OneMove]:
    videos = videos_on_disk(mover.stores.database, mover.disk, video_ids=video_ids)
    return [
        _OneMove(file.video_id, file.name, file.size, partial(mover.to_store, file))
        for video in sorted(videos, key=lambda video: video.created_at)
        for file in video.waiting
    ]


def _to_disk(mover: Mover, video_ids: Collection[str] | None) -> list[_OneMove]:
    return [
        _OneMove(video_id, name, found.size, partial(mover.to_disk, video_id, name, found))
        for video_id, stored in _stored(mover.stores.database, video_ids=video_ids).items()
        for name, found in stored.items()
    ]


@transaction(writes=False)
def _stored(
    session: Session, *, video_ids: Collection[str] | None
) -> dict[str, dict[str, CurrentObject]]:
    """Return the objects of live videos, those of older videos first."""
    wanted = select(Video.id).where(
        is_live(), select(StoredObject.id).where(StoredObject.video_id == Video.id).exists()
    )
    if video_ids is not None:
        wanted = wanted.where(Video.id.in_(video_ids))
    ids = list(session.scalars(wanted.order_by(Video.created_at)))
    found: dict[str, dict[str, CurrentObject]] = {}
    for first in range(0, len(ids), 500):
        found |= objects.current_by_video(session, video_ids=ids[first : first + 500])
    return {video_id: found[video_id] for video_id in ids if video_id in found}


@transaction(writes=False)
def is_known(session: Session, *, video_id: str) -> bool:
    """Tell whether there is a live video of that id."""
    video = session.get(Video, video_id)
    return video is not None and is_live_video(video)
