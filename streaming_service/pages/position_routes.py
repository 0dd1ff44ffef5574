"""The API that stores where a viewer stopped.

PUT or POST /api/videos/<video>/position   {"position_ms": milliseconds}: 204
"""

from flask import Blueprint, request

from common.errors import MatineeError, Unprocessable
from common.translation import gettext_noop
from common.web.auth import Audience, current_watcher, restrict_to
from common.web.services import stores
from streaming_service.videos.changes import upsert
from streaming_service.videos.library import get_video_for
from streaming_service.videos.positions import set_position

_BODY_LIMIT = 200  # bytes
_LATEST = 2**53  # milliseconds; the largest whole number that JSON carries safely

blueprint = Blueprint("position", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)


class WrongType(MatineeError):
    """A body of another kind than a player sends."""

    status = 415
    sentence = gettext_noop("A position is sent as application/json.")


@blueprint.put("/api/videos/<video:video_id>/position")
@blueprint.post("/api/videos/<video:video_id>/position")
def remember(video_id: str) -> tuple[str, int]:
    """Store how far the caller has come. `navigator.sendBeacon` sends POST."""
    watcher, database = current_watcher(), stores().database
    # Asked first: a body that is wrong must not tell a stranger that the video exists.
    get_video_for(database, watcher, video_id)
    upsert(set_position, database, watcher, video_id, position_ms=_position())
    return "", 204


def _position() -> int:
    # A beacon is sent as text/plain. The CSRF check has passed before.
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
