"""How far videos are prepared, for scripts and for pages that show it live.

    GET /api/videos/<video>/progress           as `streaming_service.preparing` describes it
    GET /api/videos/progress?ids=<id>,<id>     {"videos": {id: the same, ...}}; what is not there,
                                               or not for the caller, is left out

Asked for `text/event-stream`, they answer with an event `progress` for what is so now and another
for each change: the same JSON, with `id` if several were asked for. The answer ends when nothing
more happens by itself, when the caller may no longer watch, and after some minutes, when a browser
asks again.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import structlog
from flask import Blueprint, Response, jsonify, request
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from common.access import Viewer
from common.errors import MatineeError, NotFound, Unprocessable
from common.ids import is_id
from common.process import shutdown
from common.stores import Stores
from common.web.auth import Audience, current_viewer, require_viewer, restrict_to, session_token
from common.web.services import stores
from db.engine import DatabaseUnavailable
from streaming_service.library import PAGE, get_videos_for
from streaming_service.preparing import prepared
from streaming_service.services import services

_PAUSE = 1.0  # seconds from one look at the stores to the next
_PING = 15  # looks without news, after which a comment tells that the line is open
_LOOKS = 600  # until a browser has to ask again

State = Mapping[str, dict[str, Any]]

_OVER = ("done", "failed", "refused")

log = structlog.get_logger()

blueprint = Blueprint("progress", __name__)
restrict_to(blueprint, Audience.ANYBODY)


class TooManyStreams(MatineeError):
    """As many pages are shown live as this process has room for; asking now and then works."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Too many pages are shown live. Ask again now and then instead.")
        self.headers["Retry-After"] = "5"


@blueprint.get("/api/videos/<video:video_id>/progress")
def of_one(video_id: str) -> Response:
    """Tell how far a video is."""
    found = _look(stores(), current_viewer(), [video_id])
    if not found:
        require_viewer()
        raise NotFound
    if _wants_events():
        return _events([video_id], data_of=lambda _id, state: state)
    return _varied(jsonify(found[video_id]))


@blueprint.get("/api/videos/progress")
def of_several() -> Response:
    """Tell how far a page of videos is."""
    viewer = require_viewer()
    ids = [part for part in request.args.get("ids", "").split(",") if part]
    if len(ids) > PAGE or not all(map(is_id, ids)):
        raise Unprocessable(f"“ids” is up to {PAGE} ids of videos with commas between them.")
    if _wants_events():
        return _events(ids, data_of=lambda video_id, state: {"id": video_id} | state)
    return _varied(jsonify(videos=_look(stores(), viewer, ids)))


def _wants_events() -> bool:
    return request.accept_mimetypes.best == "text/event-stream"


def _varied(response: Response) -> Response:
    response.vary.add("Accept")
    return response


def _look(stores: Stores, viewer: Viewer | None, ids: list[str]) -> State:
    """Return how far those of these videos are that a viewer may watch. One transaction."""

    def work(session: Session) -> State:
        videos = get_videos_for(session, viewer, ids)
        found = prepared(session, videos)
        me = viewer.id if viewer is not None else None
        return {v.id: found[v.id].as_json(in_full=v.owner_id == me) for v in videos}

    return stores.database.read(work)


def _events(ids: list[str], *, data_of: Callable[[str, dict[str, Any]], Any]) -> Response:
    """Answer with a stream of events, if there is room for another."""
    places = services().streams
    if not places.acquire(blocking=False):
        raise TooManyStreams
    held, token = stores(), session_token()

    def look() -> State:
        # Who is asking is looked up each time: a session may end, and so may access.
        return _look(held, held.sessions.find(token), ids)

    response = Response(
        (_event(data_of(*news)) if news else ": still here\n\n" for news in changes(look)),
        mimetype="text/event-stream",
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )
    response.call_on_close(places.release)
    return _varied(response)


def _event(data: Any) -> str:
    return f"event: progress\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def changes(
    look: Callable[[], State], *, pause: Callable[[float], None] = time.sleep
) -> Iterator[tuple[str, dict[str, Any]] | None]:
    """Return each video's state and what becomes of it; None now and then when nothing is new.

    No connection to a store is held between two looks.
    """
    known: dict[str, dict[str, Any]] = {}
    quiet = 0
    for _ in range(_LOOKS):
        try:
            found = look()
        except (DatabaseUnavailable, RedisError) as error:
            log.info("progress ended", detail=str(error))
            return
        news = [(i, state) for i, state in found.items() if known.get(i) != _told(state)]
        yield from news
        known.update((i, _told(state)) for i, state in news)
        quiet = 0 if news else quiet + 1
        if all(state["state"] in _OVER for state in found.values()):
            return
        if quiet == _PING:
            quiet = 0
            yield None
        pause(_PAUSE)
        if shutdown.is_shutting_down():
            return


def _told(state: dict[str, Any]) -> dict[str, Any]:
    """Return what is worth an event: times slide a little every second, and the words tell them."""
    steps = [step | {"done_at": None} for step in state.get("steps", ())]
    return state | {"done_at": None, "steps": steps}
