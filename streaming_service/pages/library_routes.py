"""The library.

GET  /stream   ?q=  ?sort=newest|oldest|title  ?whose=all|mine  ?after=<cursor>
"""

from urllib.parse import urlencode

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session

from common.access import Viewer, Watcher
from common.ids import is_id
from common.titles import clean_line
from common.web.auth import Audience, require_viewer, restrict_to
from db.engine import transaction
from streaming_service.processing.forecast import ForecastCache
from streaming_service.services import services
from streaming_service.videos.cursors import BadCursor, Cursor, Sort
from streaming_service.videos.library import SEARCH_LIMIT, ListQuery, OwnerFilter, list_videos
from streaming_service.videos.presenters import Card, load_cards

blueprint = Blueprint("library", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)

_NOTICES = {
    "deleted": "The video is in your bin.",
    "restored": "The video is restored, with everyone who could watch it.",
    "taken-down": "The video is deleted. It is in its owner's bin, and private.",
}


@blueprint.get("/stream")
def library() -> str:
    """Show a page of the library. A parameter that makes no sense is ignored."""
    viewer, query = require_viewer(), _query()
    here = services()
    done, video_id = request.args.get("done", ""), request.args.get("video", "")
    cards, following = load_library(here.stores.database, viewer, query, here.forecasts)
    return render_template(
        "streaming/library.html",
        videos=cards,
        query=query.search,
        sort=query.sort.value,
        whose=query.whose.value,
        more=_page_url(query, following) if following else None,
        notice=_NOTICES.get(done),
        deleted=video_id if done == "deleted" and is_id(video_id) else None,
    )


@transaction(writes=False)
def load_library(
    session: Session, viewer: Viewer, query: ListQuery, forecasts: ForecastCache
) -> tuple[list[Card], Cursor | None]:
    """Return the cards of a page of the library, and the cursor of the next page."""
    page = list_videos(session, viewer, query)
    return load_cards(session, Watcher(viewer), page.videos, forecasts), page.next


def _query() -> ListQuery:
    sort = request.args.get("sort", Sort.NEWEST, type=Sort)
    try:
        after = Cursor.read(request.args["after"], sort) if "after" in request.args else None
    except BadCursor:
        after = None
    return ListQuery(
        search=clean_line(request.args.get("q", "")[:SEARCH_LIMIT]),
        sort=sort,
        whose=request.args.get("whose", OwnerFilter.ALL, type=OwnerFilter),
        after=after,
    )


def _page_url(query: ListQuery, after: Cursor) -> str:
    search = {"q": query.search} if query.search else {}
    return "/stream?" + urlencode(
        search | {"sort": query.sort, "whose": query.whose, "after": str(after)}
    )
