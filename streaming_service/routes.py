"""The pages: the library, the watch page, and the form that edits a video."""

from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from common.access import may_edit, may_remove
from common.callers import Callers, admit, current_viewer, require_viewer
from common.errors import NotThere, Unprocessable
from common.forms import form_fields
from common.locations import watch_url
from common.stores import stores
from db.models import Video
from streaming_service import changes
from streaming_service.cards import card_of
from streaming_service.cursors import BadCursor, Cursor, Sort
from streaming_service.library import Whose, access_of, get_video_for, list_videos
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
    found = stores().database.read(
        lambda session: list_videos(
            session, viewer, search=search, sort=sort, whose=whose, after=after
        )
    )
    return render_template(
        "streaming/library.html",
        videos=[card_of(video, viewer) for video in found.videos],
        query=search,
        sort=sort.value,
        whose=whose.value,
        more=_page_url(search, sort, whose, found.next) if found.next else None,
    )


def _page_url(search: str, sort: Sort, whose: Whose, after: Cursor) -> str:
    asked = {"q": search} if search else {}
    return "/stream?" + urlencode(asked | {"sort": sort, "whose": whose, "after": str(after)})


@watching.get("/stream/<video:video_id>")
def watch(video_id: str) -> str:
    """Show a video and its player. Signed out, a private one looks like one that is not there."""
    viewer = current_viewer()
    try:
        video = stores().database.read(lambda session: get_video_for(session, viewer, video_id))
    except NotThere:
        require_viewer()
        raise
    access = access_of(video)
    return render_template(
        "streaming/watch.html",
        video=card_of(video, viewer),
        may_edit=may_edit(viewer, access),
        may_remove=may_remove(viewer, access),
        notice=_NOTICES.get(request.args.get("done", "")),
    )


@library_pages.get("/stream/<video:video_id>/edit")
def edit_form(video_id: str) -> str:
    """Show the form with what is there now."""
    video = changes.find_to_edit(require_viewer(), video_id)
    now = {
        "title": video.title,
        "description": video.description,
        "visibility": video.visibility.value,
    }
    return _form(video, values=now)


@library_pages.post("/stream/<video:video_id>/edit")
def edit(video_id: str) -> Response:
    """Change the video, or show the form again with the reason why not."""
    viewer = require_viewer()
    video = changes.find_to_edit(viewer, video_id)
    values = form_fields("title", "description", "visibility")
    try:
        changes.edit(viewer, video_id, values)
    except Unprocessable as error:
        return make_response(_form(video, values=values, error=error.sentence), error.status)
    return redirect(f"{watch_url(video_id)}?done=saved", 303)


def _form(video: Video, *, values: dict[str, str], error: str | None = None) -> str:
    viewer = require_viewer()
    return render_template(
        "streaming/edit.html",
        video=card_of(video, viewer),
        values=values,
        error=error,
        may_remove=may_remove(viewer, access_of(video)),
    )


@library_pages.post("/stream/<video:video_id>/delete")
def delete(video_id: str) -> Response:
    """Delete the video, and go back to the library."""
    changes.remove(require_viewer(), video_id)
    return redirect("/stream", 303)
