"""The bin: deleted videos, which only their owner sees, until they are restored or removed.

Nothing that belongs to a video is removed while it is in the bin, so a restored one has its grants,
links, captions, tags and positions. The janitor of the upload service deletes what has been there
for `BIN_DAYS`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from common.access import Viewer
from common.audit import Action, Actor, record, require_signed_in
from common.errors import NotFound
from common.live import is_live
from common.stores import Stores
from common.stores.read_through import Mark
from db.engine import transaction
from db.models import Video, now
from streaming_service.videos.cursors import Cursor, Sort
from streaming_service.videos.library import (
    VideoPage,
    get_video_to_delete,
    read_page,
    select_with_owner,
)
from streaming_service.videos.text import time_left


def deleted_on(video: Video, *, bin_days: int) -> datetime | None:
    """Return when a video in the bin is deleted; None: it is not in the bin."""
    return None if video.binned_at is None else video.binned_at + timedelta(days=bin_days)


def bin_time_left(video: Video, bin_days: int) -> str:
    """Say how long it is until a video in the bin is deleted: `12 days`."""
    end = deleted_on(video, bin_days=bin_days)
    return "" if end is None else time_left(end)


@transaction(writes=False)
def list_bin(session: Session, viewer: Viewer, *, after: Cursor | None = None) -> VideoPage:
    """Return a page of a viewer's bin, the latest first.

    :param after: the cursor of the page before, from its `VideoPage`.
    """
    wanted = select_with_owner().where(
        Video.owner_id == viewer.id, Video.binned_at.is_not(None), is_live()
    )
    return read_page(
        session,
        wanted,
        key=Video.binned_at.expression,
        descending=True,
        after=after,
        cursor=lambda video, binned_at: Cursor(Sort.NEWEST, binned_at, video.id),
    )


def restore_video(stores: Stores, actor: Actor, video_id: str) -> Video:
    """Take a video out of its owner's bin; whoever could watch it before can do so again.

    :raises NotFound: it is not theirs, or not in the bin.
    """
    get_own_video(stores.database, actor, video_id)
    with stores.videos.changing([video_id]):
        return mark_restored(stores.database, actor, video_id)


def restore_videos(stores: Stores, actor: Actor, video_ids: Sequence[str]) -> list[str]:
    """Take several videos out of the actor's bin at once; return the ids of those that it was."""
    theirs = own_in_bin(stores.database, actor, video_ids)
    with stores.videos.changing(theirs):
        return mark_all_restored(stores.database, actor, theirs)


@transaction(writes=False)
def own_in_bin(session: Session, actor: Actor, video_ids: Sequence[str]) -> list[str]:
    """Return the ids of those of these videos that are in the actor's bin."""
    return list(session.scalars(_binned(actor, video_ids).with_only_columns(Video.id)))


@transaction(writes=True)
def mark_all_restored(session: Session, actor: Actor, video_ids: Sequence[str]) -> list[str]:
    """Take the mark from several videos. Call it inside `VideoCache.changing`."""
    videos = session.scalars(_binned(actor, video_ids).with_for_update()).all()
    for video in videos:
        video.binned_at = None
        record(session, actor, Action.VIDEO_RESTORED, video_id=video.id)
    return [video.id for video in videos]


def _binned(actor: Actor, video_ids: Sequence[str]) -> Select[Video]:
    owner_id = require_signed_in(actor).id
    wanted = select(Video).where(Video.id.in_(video_ids), Video.owner_id == owner_id)
    return wanted.where(Video.binned_at.is_not(None), is_live())


def delete_permanently(stores: Stores, actor: Actor, video_id: str) -> None:
    """Delete a video of the actor's own for good, whether or not it is in the bin.

    :raises NotFound: it is not theirs.
    """
    get_own_video(stores.database, actor, video_id)
    with stores.videos.changing([video_id]):
        mark_deleted(stores.database, actor, video_id)


def empty_bin(stores: Stores, actor: Actor) -> int:
    """Delete everything in the actor's bin for good; return how many videos there were."""
    return stores.videos.change(lambda mark: mark_bin_deleted(stores.database, actor, mark=mark))


@transaction(writes=False)
def get_own_video(session: Session, actor: Actor, video_id: str) -> Video:
    """Return a video of the actor's own.

    :raises LoginRequired: nobody is signed in.
    :raises NotFound: there is none, or it is somebody else's.
    """
    viewer = require_signed_in(actor)
    video = get_video_to_delete(session, viewer, video_id)
    if video.owner_id != viewer.id:
        raise NotFound
    return video


@transaction(writes=True)
def mark_restored(session: Session, actor: Actor, video_id: str) -> Video:
    """Take the mark from a video in the bin. Call it inside `VideoCache.changing`.

    :raises NotFound: it is not theirs, or not in the bin.
    """
    video = get_own_video(session, actor, video_id)
    if video.binned_at is None:
        raise NotFound
    video.binned_at = None
    record(session, actor, Action.VIDEO_RESTORED, video_id=video_id)
    return video


@transaction(writes=True)
def mark_deleted(session: Session, actor: Actor, video_id: str) -> None:
    """Mark a video as deleted. Call it inside `VideoCache.changing`.

    :raises NotFound: it is not theirs.
    """
    _delete(session, actor, get_own_video(session, actor, video_id))


@transaction(writes=True)
def mark_bin_deleted(session: Session, actor: Actor, *, mark: Mark) -> int:
    """Mark every video in the actor's bin as deleted; return how many there were."""
    viewer = require_signed_in(actor)
    binned = select(Video).where(
        Video.owner_id == viewer.id, Video.binned_at.is_not(None), is_live()
    )
    videos = session.scalars(binned.with_for_update()).all()
    mark([video.id for video in videos])
    for video in videos:
        _delete(session, actor, video)
    return len(videos)


def _delete(session: Session, actor: Actor, video: Video) -> None:
    video.deleted_at = now()
    record(session, actor, Action.VIDEO_DELETED, video_id=video.id)
