"""The pages: the library, the watch page, and the form that edits a video."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from common.access import may_edit, may_remove
from common.callers import Callers, admit, current_viewer, require_viewer
from common.errors import Unprocessable
from common.forms import form_fields
from common.locations import watch_url
from common.stores import stores
from db.models import Video
from streaming_service import changes
from streaming_service.captions import tracks_of
from streaming_service.cards import Card, cards_of
from streaming_service.cursors import BadCursor, Cursor, Sort
from streaming_service.languages import COMMON
from streaming_service.library import Whose, access_of, list_videos
from streaming_service.visits import visit
from streaming_service.wording import clean_line

QUERY_LIMIT = 200  # characters of a search

_NOTICES = {"saved": "Your changes are saved."}

library_pages = Blueprint("library", __name__)
admit(library_pages, Callers.SIGNED_IN)

# A public video is watched by anybody; the video decides.
watching = Blueprint("watching", __name__)
admit(watching, Callers.ANYBODY)


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
    template = "streaming/refused.html" if found["video"].refusal else "streaming/watch.html"
    return render_template(template, **found, notice=_NOTICES.get(request.args.get("done", "")))


@library_pages.get("/stream/<video:video_id>/edit")
def edit_form(video_id: str) -> str:
    """Show the form with what is there now."""
    video = changes.find_to_edit(require_viewer(), video_id)
    now = {
        "title": video.title,
        "description": video.description,
        "visibility": video.visibility.value,
        "downloadable": "on" if video.downloadable else "",
    }
    return _form(video, values=now)


@library_pages.post("/stream/<video:video_id>/edit")
def edit(video_id: str) -> Response:
    """Change the video, or show the form again with the reason why not."""
    viewer = require_viewer()
    video = changes.find_to_edit(viewer, video_id)
    values = form_fields("title", "description", "visibility", optional=("downloadable",))
    try:
        changes.edit(viewer, video_id, values | {"downloadable": values["downloadable"] != ""})
    except Unprocessable as error:
        return make_response(_form(video, values=values, error=error.sentence), error.status)
    return redirect(f"{watch_url(video_id)}?done=saved", 303)


def _form(
    video: Video,
    *,
    values: dict[str, str],
    error: str | None = None,
    caption: dict[str, str] | None = None,
    caption_error: str | None = None,
) -> str:
    tracks = stores().database.read(lambda session: tracks_of(session, [video]))
    return render_template(
        "streaming/edit.html",
        video=video,
        tracks=tracks[video.id],
        languages=COMMON,
        values=values,
        error=error,
        caption=caption or {},
        caption_error=caption_error,
        notice=_NOTICES.get(request.args.get("done", "")),
        may_remove=may_remove(require_viewer(), access_of(video)),
    )


@library_pages.post("/stream/<video:video_id>/delete")
def delete(video_id: str) -> Response:
    """Delete the video, and go back to the library."""
    changes.remove(require_viewer(), video_id)
    return redirect("/stream", 303)
