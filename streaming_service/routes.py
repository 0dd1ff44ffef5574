"""The pages for whoever watches: the library, the watch page and its captions."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from common.access import may_edit, may_remove
from common.web.auth import Audience, current_viewer, require_viewer, restrict_to
from common.web.services import stores
from db.models import Video
from streaming_service.captions import get_caption, tracks_of
from streaming_service.cards import Card, cards_of
from streaming_service.cursors import BadCursor, Cursor, Sort
from streaming_service.library import Whose, access_of, list_videos
from streaming_service.visits import visit
from streaming_service.wording import clean_line

QUERY_LIMIT = 200  # characters of a search

_NOTICES = {
    "again": "It is being tried again.",
    "deleted": "The video is deleted.",
    "saved": "Your changes are saved.",
}

# As with the files that nginx sends.
_MEDIA_HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

library_pages = Blueprint("library", __name__)
restrict_to(library_pages, Audience.SIGNED_IN)

# A public video is watched by anybody; the video decides.
watching = Blueprint("watching", __name__)
restrict_to(watching, Audience.ANYBODY)


@library_pages.get("/stream")
def library() -> str:
    """Show a page of the library; what makes no sense in the address is passed over."""
    viewer = require_viewer()
    search = clean_line(request.args.get("q", "")[:QUERY_LIMIT])
    sort = request.args.get("sort", Sort.NEWEST, type=Sort)
    whose = request.args.get("whose", Whose.ALL, type=Whose)
    try:
        after = Cursor.read(request.args["after"], sort) if "after" in request.args else None
    except BadCursor:
        after = None

    def work(session: Session) -> tuple[list[Card], Cursor | None]:
        found = list_videos(session, viewer, search=search, sort=sort, whose=whose, after=after)
        return cards_of(session, viewer, found.videos), found.next

    cards, following = stores().database.read(work)
    return render_template(
        "streaming/library.html",
        videos=cards,
        query=search,
        sort=sort.value,
        whose=whose.value,
        more=_page_url(search, sort, whose, following) if following else None,
        notice=_NOTICES.get(request.args.get("done", "")),
    )


def _page_url(search: str, sort: Sort, whose: Whose, after: Cursor) -> str:
    asked = {"q": search} if search else {}
    return "/stream?" + urlencode(asked | {"sort": sort, "whose": whose, "after": str(after)})


@watching.get("/stream/<video:video_id>")
def watch(video_id: str) -> str:
    """Show a video and its player. Signed out, a private one looks like one that is not there."""
    viewer = current_viewer()

    def work(session: Session, video: Video) -> dict[str, Any]:
        access = access_of(video)
        return {
            "video": cards_of(session, viewer, [video])[0],
            "tracks": tracks_of(session, [video])[video.id],
            "may_edit": may_edit(viewer, access),
            "may_remove": may_remove(viewer, access),
        }

    found = visit(video_id, work)
    template = (
        "streaming/refused.html" if found["video"].rejection_reason else "streaming/watch.html"
    )
    return render_template(template, **found, notice=_NOTICES.get(request.args.get("done", "")))


@watching.get("/stream/<video:video_id>/captions/<language:language>.vtt")
def captions(video_id: str, language: str) -> AnyResponse:
    """Answer with a track of captions, to whoever may have the video's other media."""
    track = visit(video_id, lambda session, video: get_caption(session, video, language))
    response = Response(track.body, mimetype="text/vtt", headers=_MEDIA_HEADERS)
    response.add_etag()
    return response.make_conditional(request)
