"""The library, and what is done with several of its videos at once.

GET  /stream              with the parameters of `streaming_service.pages.list_query`;
                          ?select=1 shows a box to tick on each video; ?view=grid|list;
                          ?part=cards answers with a page of cards alone, and with as many as
                          ?count= says, up to 480
POST /stream/selection    `video` (several, up to 200), `do`, and what that needs: `tag`,
                          `visibility`, `who` and `level`, or `collection`; leads back to `back`,
                          or for scripts: {"changed": [id, ...], "refused": number}
GET  /api/videos/suggestions  ?q=   {"suggestions": [{"kind", "text", "url"}, ...]}
"""

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, jsonify, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from common.access import Viewer, Watcher
from common.forecast import ForecastCache
from common.ids import is_id
from common.translation import gettext, gettext_noop, ngettext
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.error_handlers import wants_json
from common.web.forms import form_fields
from common.web.services import stores
from common.web.urls import same_site_path
from db.engine import transaction
from db.models import Level
from streaming_service.collections.listing import editable_collections
from streaming_service.pages.list_query import list_address, read_list_query
from streaming_service.pages.list_view import current_view, keep_view
from streaming_service.services import services
from streaming_service.videos.filters import Filters
from streaming_service.videos.library import PAGE, ListQuery, count_videos, list_videos
from streaming_service.videos.presenters import load_cards, load_cards_by_id
from streaming_service.videos.rows import RowIds, Rows, fill_rows, find_rows
from streaming_service.videos.selection import Selection, change_selection
from streaming_service.videos.suggestions import suggest_searches
from streaming_service.videos.tags import tags_used_by

SELECTION_LIMIT = 200
"""Videos that are changed at once."""
_LONGEST = 20 * PAGE  # videos of one answer, when a page that was scrolled down is shown again
_NOTICES = {
    "deleted": gettext_noop("The video is in your bin."),
    "restored": gettext_noop("The video is restored, with everyone who could watch it."),
    "taken-down": gettext_noop("The video is deleted. It is in its owner's bin, and private."),
}
_SELECTION_FIELDS = ("tag", "visibility", "who", "level", "collection", "back")

blueprint = Blueprint("library", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)


@blueprint.get("/stream")
def library() -> Response | str:
    """Show a page of the library. A parameter that makes no sense is ignored."""
    viewer, query = require_viewer(), read_list_query(strict=False)
    here = services()
    database = here.stores.database
    selecting = request.args.get("select") == "1"
    view = {"selecting": selecting, "view": current_view().value}
    if request.args.get("part") == "cards":
        size = min(max(request.args.get("count", PAGE, type=int), 1), _LONGEST)
        found = load_more(database, viewer, query, here.forecasts, size=size)
        return render_template("streaming/cards.html", **found, **view, is_part=True)
    done, video_id = request.args.get("done", ""), request.args.get("video", "")
    notice, error = _result(done)
    page = render_template(
        "streaming/library.html",
        **load_library(database, viewer, query, here.forecasts),
        **view,
        query=query.filters.search,
        filters=query.filters,
        sort=query.sort.value,
        whose=query.filters.whose.value,
        address=lambda **changed: list_address(query, **changed),
        levels=[level.value for level in Level],
        suggests=here.settings.user_directory,
        selection_limit=SELECTION_LIMIT,
        notice=notice,
        error=error,
        deleted=video_id if done == "deleted" and is_id(video_id) else None,
    )
    return keep_view(make_response(page))


@transaction(writes=False)
def load_library(
    session: Session, viewer: Viewer, query: ListQuery, forecasts: ForecastCache
) -> dict[str, Any]:
    """Return what the library's template takes from the database."""
    watcher = Watcher(viewer)
    page = list_videos(session, viewer, query)
    is_start = query.after is None and query.filters == Filters()
    row_ids = find_rows(session, viewer) if is_start else RowIds()
    shown = [video.id for video in page.videos]
    cards = load_cards_by_id(
        session, watcher, [*shown, *row_ids.videos], forecasts, loaded=page.videos
    )
    collections = editable_collections(session, watcher, "")
    return {
        "videos": [cards[video_id] for video_id in shown if video_id in cards],
        "rows": fill_rows(session, viewer, row_ids, cards) if is_start else Rows(),
        "count": count_videos(session, viewer, query.filters),
        "more": list_address(query, after=str(page.next)) if page.next else None,
        "tags": tags_used_by(session, viewer),
        "collections": [collection for collection, _ in collections],
    }


@transaction(writes=False)
def load_more(
    session: Session, viewer: Viewer, query: ListQuery, forecasts: ForecastCache, *, size: int
) -> dict[str, Any]:
    """Return a later page of the library.

    :param size: videos on it, at most.
    """
    page = list_videos(session, viewer, query, size=size)
    return {
        "videos": load_cards(session, Watcher(viewer), page.videos, forecasts),
        "more": list_address(query, after=str(page.next)) if page.next else None,
    }


@blueprint.post("/stream/selection")
def selection() -> Response:
    """Do one thing with several videos, each as its own page would."""
    fields = form_fields("do", optional=_SELECTION_FIELDS)
    video_ids = request.form.getlist("video")[:SELECTION_LIMIT]
    back = same_site_path(fields.pop("back"), default="/stream")
    back = back if back.partition("?")[0] == "/stream" else "/stream"
    changed, refused = change_selection(stores(), current_actor(), video_ids, Selection(**fields))
    if wants_json():
        return jsonify(changed=changed, refused=refused)
    result = urlencode({"done": "selection", "changed": len(changed), "refused": refused})
    return redirect(f"{back}{'&' if '?' in back else '?'}{result}", 303)


@blueprint.get("/api/videos/suggestions")
def suggestions() -> dict[str, Any]:
    """Suggest videos, people, tags and collections for a search that is being typed."""
    found = suggest_searches(stores().database, require_viewer(), request.args.get("q", ""))
    return {"suggestions": [asdict(one) for one in found]}


def _result(done: str) -> tuple[str | None, str | None]:
    """Return what was done, and what went wrong, in words."""
    if done != "selection":
        return gettext(_NOTICES[done]) if done in _NOTICES else None, None
    changed = request.args.get("changed", 0, type=int)
    refused = request.args.get("refused", 0, type=int)
    if not changed and not refused:
        return None, gettext("Select the videos first.")
    notice = error = None
    if changed:
        notice = ngettext("%(num)s video was changed.", "%(num)s videos were changed.", changed)
    if refused:
        error = ngettext(
            "%(num)s video was not changed: not yours to change, or done already.",
            "%(num)s videos were not changed: not yours to change, or done already.",
            refused,
        )
    return notice, error
