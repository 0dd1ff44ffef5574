"""Where somebody stopped in a video, so that any device of theirs goes on from there."""

from collections.abc import Mapping, Sequence

from flask import Blueprint, request
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from common.access import Viewer
from common.errors import MatineeError, NotFound, Unprocessable
from common.web.auth import Audience, require_viewer, restrict_to
from common.web.services import stores
from db.models import Position, Video, now
from streaming_service.changes import write_row
from streaming_service.library import get_video_for

_END = 15_000  # milliseconds before the end that count as watched, as do the last 5 %
_BODY_LIMIT = 200  # bytes
_LATEST = 2**53  # milliseconds; the largest whole number that JSON carries safely

blueprint = Blueprint("positions", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)


class WrongType(MatineeError):
    """A body of another kind than a player sends."""

    status = 415

    def __init__(self) -> None:
        super().__init__("A position is sent as application/json.")


@blueprint.put("/api/videos/<video:video_id>/position")
@blueprint.post("/api/videos/<video:video_id>/position")
def remember(video_id: str) -> tuple[str, int]:
    """Remember how far the caller has come. POST is what `navigator.sendBeacon` sends."""
    viewer = require_viewer()
    # A video that one may not see is not there, whatever the body says about it.
    stores().database.read(lambda session: get_video_for(session, viewer, video_id))
    position_ms = _position()
    write_row(lambda session: set_position(session, viewer, video_id, position_ms=position_ms))
    return "", 204


def _position() -> int:
    # A beacon with a text is sent as text/plain; that no other site sent it is checked before.
    if request.mimetype not in ("application/json", "text/plain"):
        raise WrongType
    request.max_content_length = _BODY_LIMIT
    body = request.get_json(force=True, silent=True)
    position = body.get("position_ms") if isinstance(body, dict) and len(body) == 1 else None
    if isinstance(position, bool) or not isinstance(position, int | float):
        raise Unprocessable("The body is not {“position_ms”: milliseconds}.")
    if not 0 <= position <= _LATEST:
        raise Unprocessable("A position is a number of milliseconds from the start.")
    return int(position)


def set_position(session: Session, viewer: Viewer, video_id: str, *, position_ms: int) -> None:
    """Remember a position, or forget it at the start and where the video is as good as over.

    :raises NotFound: the video is not for this viewer.
    """
    video = get_video_for(session, viewer, video_id)
    if video.rejection_reason is not None:
        raise NotFound
    if position_ms == 0 or is_over(position_ms, video.duration_ms):
        mine = (Position.user_id == viewer.id, Position.video_id == video_id)
        session.execute(delete(Position).where(*mine))
        return
    place = session.get(Position, (viewer.id, video_id))
    if place is None:
        place = Position(user_id=viewer.id, video_id=video_id)
        session.add(place)
    place.position_ms, place.watched_at = position_ms, now()


def is_over(position_ms: int, duration_ms: int | None) -> bool:
    """Tell whether only the end is left: 5 % of the video, or 15 s if that is more.

    Of a video shorter than a minute it is a quarter, so that most of it can still be resumed. A
    video whose duration is not known yet is never over.
    """
    if duration_ms is None:
        return False
    end = max(duration_ms // 20, min(_END, duration_ms // 4))
    return position_ms >= duration_ms - end


def positions_of(
    session: Session, viewer: Viewer | None, videos: Sequence[Video]
) -> Mapping[str, int]:
    """Return where a viewer stopped, in milliseconds, for those videos of these that they began."""
    if viewer is None or not videos:
        return {}
    wanted = select(Position.video_id, Position.position_ms).where(
        Position.user_id == viewer.id, Position.video_id.in_([video.id for video in videos])
    )
    return {row.video_id: row.position_ms for row in session.execute(wanted)}
