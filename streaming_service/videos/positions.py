"""Where a viewer stopped in a video, so that every device of theirs continues from there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.access import Viewer, Watcher
from common.errors import LoginRequired, NotFound
from db.engine import transaction
from db.models import Position, Video, now
from streaming_service.videos.library import get_video_for

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
    over = is_over(position_ms, video.duration_ms)
    kept = 0 if over else position_ms
    place = Position(user_id=viewer.id, video_id=video_id, position_ms=kept)
    place.watched_at = now()
    if over:
        place.finished_at = place.watched_at
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


def begun_videos(session: Session, viewer: Viewer) -> list[str]:
    """Return the ids of the videos that a viewer began, the last watched first.

    Only those whose end they have not reached; 32 at most. Some may not be theirs to watch now.
    """
    last = (
        select(Position.video_id)
        .where(Position.user_id == viewer.id, Position.position_ms > 0)
        .order_by(Position.watched_at.desc(), Position.video_id)
        .limit(4 * CONTINUE_LIMIT)
    )
    return list(session.scalars(last))


@dataclass(frozen=True)
class Watched:
    """How far a viewer has watched a video.

    :ivar position_ms: where they stopped; 0: at the start or the end.
    :ivar is_finished: whether they have watched it to its end before.
    """

    position_ms: int = 0
    is_finished: bool = False


def load_watched(
    session: Session, viewer: Viewer | None, videos: Sequence[Video]
) -> Mapping[str, Watched]:
    """Return how far a viewer has watched those of these videos that they have begun, by id."""
    if viewer is None or not videos:
        return {}
    wanted = select(Position.video_id, Position.position_ms, Position.finished_at).where(
        Position.user_id == viewer.id, Position.video_id.in_([video.id for video in videos])
    )
    return {
        row.video_id: Watched(row.position_ms, row.finished_at is not None)
        for row in session.execute(wanted)
    }
