"""The progress of processing, as JSON and as server-sent events.

    GET /api/videos/<video>/progress           as `streaming_service.processing.view` describes it
    GET /api/videos/progress?ids=<id>,<id>     {"videos": {id: the same, ...}}; videos that are not
                                               there, or not for the caller, are left out

With `Accept: text/event-stream` the answer is a stream: an event `progress` for the present state
and one for each change, with the same JSON, and `id` if several videos were asked for. It ends when
nothing more happens by itself, when the caller may no longer watch, and after ten minutes, when a
browser asks again. A client has at most four streams open on each process; the next one is answered
with 429 and `Retry-After`.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import structlog
from flask import Blueprint, Response, jsonify, request
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from common.access import Watcher
from common.errors import NotFound, Unprocessable
from common.forecast import ForecastCache
from common.ids import is_id
from common.process import shutdown
from common.stores.visits import visit_tokens
from common.translation import current_reader, speaking_to
from common.web.auth import (
    Audience,
    client_address,
    current_viewer,
    current_watcher,
    require_viewer,
    restrict_to,
    session_token,
    visit_cookie,
)
from db.engine import DatabaseUnavailable, transaction
from streaming_service.processing.followed import cached_rights
from streaming_service.processing.view import FINAL_STATES, load_processing, view_of
from streaming_service.services import StreamingServices, services
from streaming_service.videos.library import PAGE, get_videos_with_rights
from streaming_service.videos.positions import CONTINUE_LIMIT

_IDS = PAGE + CONTINUE_LIMIT  # the cards of the library
_INTERVAL = 1.0  # seconds between two reads of the database
# Reads without news, after which a comment is sent. Only a write shows that a client has left, and
# its stream counts until then.
_PING_AFTER = 2
_MAX_READS = 600  # until a browser has to ask again

# By the id of the video.
States = Mapping[str, dict[str, Any]]

log = structlog.get_logger()

blueprint = Blueprint("progress", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.get("/api/videos/<video:video_id>/progress")
def of_one(video_id: str) -> Response:
    """Tell how far a video is."""
    states = _load([video_id])
    if not states:
        require_viewer()
        raise NotFound
    if _wants_events():
        return _event_stream([video_id], data_of=lambda _id, state: state)
    return _vary_by_accept(jsonify(states[video_id]))


@blueprint.get("/api/videos/progress")
def of_several() -> Response:
    """Tell how far a page of videos is."""
    require_viewer()
    ids = [part for part in request.args.get("ids", "").split(",") if part]
    if len(ids) > _IDS or not all(map(is_id, ids)):
        raise Unprocessable(f"“ids” is up to {_IDS} ids of videos with commas between them.")
    if _wants_events():
        return _event_stream(ids, data_of=lambda video_id, state: {"id": video_id} | state)
    return _vary_by_accept(jsonify(videos=_load(ids)))


def _wants_events() -> bool:
    return request.accept_mimetypes.best == "text/event-stream"


def _vary_by_accept(response: Response) -> Response:
    response.vary.add("Accept")
    return response


def _load(ids: list[str]) -> States:
    here = services()
    return load_states(here.stores.database, current_watcher(), ids, here.forecasts)


@transaction(writes=False)
def load_states(
    session: Session, watcher: Watcher, ids: list[str], forecasts: ForecastCache
) -> States:
    """Return the processing of those of these videos that somebody may watch."""
    videos, rights = get_videos_with_rights(session, watcher, ids)
    found = load_processing(session, videos, forecasts, rights)
    return {i: view.as_json(with_errors=rights[i].owns) for i, view in found.items()}


def _followed_states(here: StreamingServices, watcher: Watcher, ids: list[str]) -> States:
    """Return the same as :func:`load_states`, for videos that are followed."""
    found = here.followed.facts(here.stores.database, ids, here.forecasts)
    rights = cached_rights(here.stores, watcher, found)
    return {
        video_id: view_of(facts, rights[video_id]).as_json(with_errors=rights[video_id].owns)
        for video_id, facts in found.items()
        if rights[video_id].watch
    }


def _event_stream(ids: list[str], *, data_of: Callable[[str, dict[str, Any]], Any]) -> Response:
    """Answer with a stream of events.

    :raises TooManyStreams: this client has as many open as it may.
    :raises ServerBusy: this process has no room for another stream.
    """
    here, token, viewer = services(), session_token(), current_viewer()
    visits = visit_tokens(request.cookies.get(visit_cookie()))
    client = f"address {client_address()}" if viewer is None else f"account {viewer.id}"
    reader = current_reader()  # the request is over when the stream is read
    here.event_streams.acquire(client)

    def read() -> States:
        # The session is looked up each time: it may end, and so may the viewer's access.
        watcher = Watcher(here.stores.sessions.find(token), links=here.stores.visits.links(visits))
        with speaking_to(reader):
            return _followed_states(here, watcher, ids)

    def events() -> Iterator[str]:
        with here.followed.following(ids):
            for change in changes(read):
                yield _event(data_of(*change)) if change else ": ping\n\n"

    response = Response(
        events(),
        mimetype="text/event-stream",
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )
    response.call_on_close(lambda: here.event_streams.release(client))
    return _vary_by_accept(response)


def _event(data: Any) -> str:
    return f"event: progress\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def changes(
    read: Callable[[], States], *, pause: Callable[[float], None] = time.sleep
) -> Iterator[tuple[str, dict[str, Any]] | None]:
    """Yield the state of each video, and each change; None when nothing has changed for a while.

    No connection to a store is held between two reads.
    """
    known: dict[str, dict[str, Any]] = {}
    reads_without_news = 0
    for _ in range(_MAX_READS):
        try:
            states = read()
        except (DatabaseUnavailable, RedisError) as error:
            log.info("progress ended", detail=str(error))
            return
        news = [(i, s) for i, s in states.items() if known.get(i) != _without_estimates(s)]
        yield from news
        known.update((i, _without_estimates(state)) for i, state in news)
        reads_without_news = 0 if news else reads_without_news + 1
        if all(state["state"] in FINAL_STATES for state in states.values()):
            return
        if reads_without_news == _PING_AFTER:
            reads_without_news = 0
            yield None
        pause(_INTERVAL)
        if shutdown.is_shutting_down():
            return


def _without_estimates(state: dict[str, Any]) -> dict[str, Any]:
    """Leave out the ETAs: they move a little every second, and the sentence tells them."""
    steps = [step | {"done_at": None} for step in state.get("steps", ())]
    return state | {"done_at": None, "steps": steps}
