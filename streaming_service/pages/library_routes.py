"""The library, and what is done with several of its videos at once.

GET  /stream              with the parameters of `streaming_service.pages.list_query`;
                          ?select=1 shows a box to tick on each video
POST /stream/selection    `video` (several), `do`, and what that needs: `tag`, `visibility`,
                          `who` and `level`, or `collection`; leads back to `back`
"""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from common.access import Viewer, Watcher
from common.ids import is_id
from common.translation import gettext, gettext_noop, ngettext
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.forms import form_fields
from common.web.notices import done_notice
from common.web.services import stores
from common.web.urls import same_site_path
from db.engine import transaction
from db.models import Level
from streaming_service.collections.listing import editable_collections
from streaming_service.pages.list_query import list_address, read_list_query
from streaming_service.processing.forecast import ForecastCache
from streaming_service.services import services
from streaming_service.videos.filters import Filters
from streaming_service.videos.library import PAGE, ListQuery, list_videos
from streaming_service.videos.positions import videos_begun
from streaming_service.videos.presenters import load_cards
from streaming_service.videos.selection import Selection, change_selection
from streaming_service.videos.tags import tags_used_by

_NOTICES = {
    "deleted": gettext_noop("The video is in your bin."),
    "restored": gettext_noop("The video is restored, with everyone who could watch it."),
    "taken-down": gettext_noop("The video is deleted. It is in its owner's bin, and private."),
}
_SELECTION_FIELDS = ("tag", "visibility", "who", "level", "collection", "back")

blueprint = Blueprint("library", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)


@blueprint.get("/stream")
def library() -> str:
    """Show a page of the library. A parameter that makes no sense is ignored."""
    viewer, query = require_viewer(), read_list_query(strict=False)
    here = services()
    done, video_id = request.args.get("done", ""), request.args.get("video", "")
    selecting = request.args.get("select") == "1"
    notice, error = _result(done)
    return render_template(
        "streaming/library.html",
        **load_library(here.stores.database, viewer, query, here.forecasts, selecting=selecting),
        query=query.filters.search,
        filters=query.filters,
        sort=query.sort.value,
        whose=query.filters.whose.value,
        selecting=selecting,
        address=lambda **changed: list_address(query, **changed),
        levels=[level.value for level in Level],
        suggests=here.settings.user_directory,
        notice=notice,
        error=error,
        deleted=video_id if done == "deleted" and is_id(video_id) else None,
    )


@transaction(writes=False)
def load_library(
    session: Session,
    viewer: Viewer,
    query: ListQuery,
    forecasts: ForecastCache,
    *,
    selecting: bool = False,
) -> dict[str, Any]:
    """Return what the library's template takes from the database."""
    page = list_videos(session, viewer, query)
    is_start = query.after is None and query.filters == Filters()
    begun = videos_begun(session, viewer) if is_start and not selecting else []
    select = {"select": "1"} if selecting else {}
    watcher = Watcher(viewer)
    collections = editable_collections(session, watcher, "") if selecting else []
    cards = load_cards(session, watcher, [*page.videos, *begun], forecasts)
    return {
        "videos": cards[: len(page.videos)],
        "begun": cards[len(page.videos) :],
        "more": list_address(query, after=str(page.next), **select) if page.next else None,
        "tags": tags_used_by(session, viewer),
        "collections": [collection for collection, _ in collections],
    }


@blueprint.post("/stream/selection")
def selection() -> Response:
    """Do one thing with several videos, each as its own page would."""
    fields = form_fields("do", optional=_SELECTION_FIELDS)
    video_ids = request.form.getlist("video")[:PAGE]
    back = same_site_path(fields.pop("back"), default="/stream")
    back = back if back.partition("?")[0] == "/stream" else "/stream"
    changed, refused = change_selection(stores(), current_actor(), video_ids, Selection(**fields))
    result = urlencode({"done": "selection", "changed": changed, "refused": refused})
    return redirect(f"{back}{'&' if '?' in back else '?'}{result}", 303)


def _result(done: str) -> tuple[str | None, str | None]:
    """Return what was done, and what went wrong, in words."""
    if done != "selection":
        return done_notice(_NOTICES), None
    changed = request.args.get("changed", 0, type=int)
    refused = request.args.get("refused", 0, type=int)
    if not changed and not refused:
        return None, gettext("Select the videos first.")
    notice = ngettext("%(num)d video was changed.", "%(num)d videos were changed.", changed)
    error = ngettext(
        "%(num)d video was not changed: it is not yours to change, or this was done already.",
        "%(num)d videos were not changed: they are not yours to change, or this was done already.",
        refused,
    )
    return notice if changed else None, error if refused else None
