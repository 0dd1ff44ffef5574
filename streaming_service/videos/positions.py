"""Where a viewer stopped in a video, so that every device of theirs continues from there."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.access import Viewer, Watcher
from common.errors import LoginRequired, NotFound
from db.engine import transaction
from db.models import Position, Video, now
from streaming_service.videos.library import get_video_for, get_videos_for

_END = 15_000  # milliseconds before the end that count as watched, as do the last 5 %
CONTINUE_LIMIT = 8
"""Videos in the row "Continue watching", at most."""


@transaction(writes=True)
def set_position(session: Session, watcher: Watcher, video_id: str, *, position_ms: int) -> None:
    """Store a position, and when it was. At the start and near the end the position is 0.

    Call it through `streaming_service.videos.changes.upsert`: two requests may add the same row.

    :raises LoginRequired: nobody is signed in.
    :raises NotFound: the video is not for this viewer.
    """
    viewer = watcher.viewer
    if viewer is None:
        raise LoginRequired
    video = get_video_for(session, watcher, video_id)
    if video.rejection_reason is not None:
        raise NotFound
    if is_over(position_ms, video.duration_ms):
        position_ms = 0
    place = Position(user_id=viewer.id, video_id=video_id, position_ms=position_ms)
    place.watched_at = now()
    session.merge(place)


def is_over(position_ms: int, duration_ms: int | None) -> bool:
    """Tell whether only the end is left: 5 % of the video, or 15 s if that is more.

    Of a video shorter than a minute it is a quarter, so that most of it can still be resumed.

    :param duration_ms: None if it is not known yet.
    """
    if duration_ms is None:
        return False
    end = max(duration_ms // 20, min(_END, duration_ms // 4))
    return position_ms >= duration_ms - end


@transaction(writes=False)
def videos_begun(session: Session, viewer: Viewer) -> list[Video]:
    """Return the videos that a viewer began and may still watch, the last watched first.

    Those that they watched to the end are left out, and those in their bin. Only the last 32 that
    were begun are looked at.
    """
    last = (
        select(Position.video_id)
        .where(Position.user_id == viewer.id, Position.position_ms > 0)
        .order_by(Position.watched_at.desc(), Position.video_id)
        .limit(4 * CONTINUE_LIMIT)
    )
    begun = list(session.scalars(last))
    videos = {video.id: video for video in get_videos_for(session, Watcher(viewer), begun)}
    shown = [
        videos[video_id]
        for video_id in begun
        if video_id in videos
        and videos[video_id].binned_at is None
        and videos[video_id].rejection_reason is None
    ]
    return shown[:CONTINUE_LIMIT]


def load_positions(
    session: Session, viewer: Viewer | None, videos: Sequence[Video]
) -> Mapping[str, int]:
    """Return where a viewer stopped, in milliseconds, for those videos of these that they began."""
    if viewer is None or not videos:
        return {}
    wanted = select(Position.video_id, Position.position_ms).where(
        Position.user_id == viewer.id,
        Position.video_id.in_([video.id for video in videos]),
        Position.position_ms > 0,
    )
    return {row.video_id: row.position_ms for row in session.execute(wanted)}
