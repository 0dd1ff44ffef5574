"""The bin: deleted videos, which only their owner sees, until they are restored or removed.

Nothing that belongs to a video is removed while it is in the bin, so a restored one has its grants,
links, captions, tags and positions. The janitor of the upload service deletes what has been there
for `BIN_DAYS`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from common.access import Viewer
from common.audit import Action, Actor, record, require_signed_in
from common.errors import NotFound
from common.live import is_live
from common.stores.read_through import Mark
from db.models import Video, now
from streaming_service.access_changes import changes_access
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


def list_bin(session: Session, viewer: Viewer, *, after: Cursor | None = None) -> VideoPage:
    """Return a page of a viewer's bin, the latest first.

    :param after: the cursor of the page before, from its `VideoPage`.
    """
    wanted = select_with_owner().where(*_in_bin_of(viewer))
    return read_page(
        session,
        wanted,
        sort=Sort.NEWEST,
        key=Video.binned_at.expression,
        descending=True,
        after=after,
    )


@changes_access
def restore_video(session: Session, mark: Mark, actor: Actor, video_id: str) -> None:
    """Take a video out of its owner's bin; whoever could watch it before can do so again.

    :raises NotFound: it is not theirs, or not in the bin.
    """
    video = get_own_video(session, actor, video_id)
    if video.binned_at is None:
        raise NotFound
    mark([video_id])
    _restore(session, actor, video)


@changes_access
def restore_videos(
    session: Session, mark: Mark, actor: Actor, video_ids: Sequence[str]
) -> list[str]:
    """Take several videos out of the actor's bin at once; return the ids of those that it was."""
    in_bin = _in_bin_of(require_signed_in(actor))
    theirs = select(Video).where(Video.id.in_(video_ids), *in_bin)
    videos = session.scalars(theirs.with_for_update()).all()
    restored = [video.id for video in videos]
    mark(restored)
    for video in videos:
        _restore(session, actor, video)
    return restored


def _restore(session: Session, actor: Actor, video: Video) -> None:
    video.binned_at = None
    record(session, actor, Action.VIDEO_RESTORED, video_id=video.id)


@changes_access
def delete_permanently(session: Session, mark: Mark, actor: Actor, video_id: str) -> None:
    """Delete a video of the actor's own for good, whether or not it is in the bin.

    :raises NotFound: it is not theirs.
    """
    video = get_own_video(session, actor, video_id)
    mark([video_id])
    _delete(session, actor, video)


@changes_access
def empty_bin(session: Session, mark: Mark, actor: Actor) -> None:
    """Delete everything in the actor's bin for good."""
    everything = select(Video).where(*_in_bin_of(require_signed_in(actor)))
    videos = session.scalars(everything.with_for_update()).all()
    mark([video.id for video in videos])
    for video in videos:
        _delete(session, actor, video)


def _delete(session: Session, actor: Actor, video: Video) -> None:
    video.deleted_at = now()
    record(session, actor, Action.VIDEO_DELETED, video_id=video.id)


def _in_bin_of(viewer: Viewer) -> tuple[ColumnElement[bool], ...]:
    return Video.owner_id == viewer.id, Video.binned_at.is_not(None), is_live()


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
