"""The pages of collections.

GET  /collections                              the collections that the viewer may open
POST /collections                              title, description: a new one
GET  /collections/<id>   ?start=<number>       its videos
POST /collections/<id>/edit                    title, description
POST /collections/<id>/delete
POST /collections/<id>/items                   video: adds it
POST /collections/<id>/items/<video>/remove
POST /collections/<id>/items/<video>/move      to: up, down, first, last
POST /collections/<id>/items/<video>/cover
POST /stream/<video>/collections               collection, or title of a new one: adds the video
"""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from common.access import Watcher
from common.collection_access import MAX_ITEMS
from common.errors import NotFound, Unprocessable
from common.translation import gettext_noop
from common.web.auth import (
    Audience,
    current_actor,
    current_watcher,
    require_viewer,
    restrict_to,
)
from common.web.forms import form_fields
from common.web.notices import notice_of
from common.web.services import stores
from common.web.urls import watch_url
from streaming_service.collections.changes import (
    CollectionEdit,
    add_item,
    create_collection,
    delete_collection,
    edit_collection,
    move_item,
    remove_item,
)
from streaming_service.collections.listing import list_collections, load_collection
from streaming_service.services import services
from streaming_service.videos.library import get_video_for

_NOTICES = {
    "added": gettext_noop("The video is in the collection."),
    "created": gettext_noop("The collection is created. Add videos from their pages."),
    "deleted": gettext_noop("The collection is deleted. Its videos are still in the library."),
    "removed": gettext_noop("The video is no longer in the collection."),
    "saved": gettext_noop("Your changes are saved."),
}
_STEPS = {"up": -1, "down": 1, "first": -MAX_ITEMS, "last": MAX_ITEMS}

# Whoever has opened a link sees the collection without an account.
blueprint = Blueprint("collections", __name__)
restrict_to(blueprint, Audience.ANYBODY)

changes = Blueprint("collection_changes", __name__)
restrict_to(changes, Audience.SIGNED_IN)


@changes.get("/collections")
def overview(*, error: str | None = None, title: str = "") -> str:
    """List the collections that the viewer may open."""
    return render_template(
        "streaming/collections.html",
        collections=list_collections(stores().database, current_watcher()),
        notice=notice_of(_NOTICES),
        error=error,
        title=title,
    )


@changes.post("/collections")
def create() -> Response | tuple[str, int]:
    """Make a collection, and show it."""
    fields = form_fields("title", optional=("description",))
    try:
        made = create_collection(stores().database, current_actor(), **fields)
    except Unprocessable as error:
        return overview(error=error.sentence, title=fields["title"]), error.status
    return redirect(f"/collections/{made.id}?done=created", 303)


@blueprint.get("/collections/<video:collection_id>")
def show(collection_id: str, *, error: str | None = None) -> str:
    """Show a page of a collection."""
    here = services()
    start = max(0, request.args.get("start", 0, type=int))
    page = load_collection(
        here.stores.database, current_watcher(), collection_id, here.forecasts, start=start
    )
    notice = notice_of(_NOTICES)
    return render_template("streaming/collection.html", page=page, notice=notice, error=error)


@changes.post("/collections/<video:collection_id>/edit")
def edit(collection_id: str) -> Response | tuple[str, int]:
    """Change title and description."""
    fields = form_fields("title", optional=("description",))
    try:
        edit_collection(stores().database, current_actor(), collection_id, CollectionEdit(**fields))
    except Unprocessable as error:
        return show(collection_id, error=error.sentence), error.status
    return _back(collection_id, "saved")


@changes.post("/collections/<video:collection_id>/delete")
def delete(collection_id: str) -> Response:
    """Delete a collection."""
    delete_collection(stores(), current_actor(), collection_id)
    return redirect("/collections?done=deleted", 303)


@changes.post("/collections/<video:collection_id>/items")
def add(collection_id: str) -> Response:
    """Add a video."""
    add_item(stores(), current_actor(), collection_id, form_fields("video")["video"])
    return _back(collection_id, "added")


@changes.post("/collections/<video:collection_id>/items/<video:video_id>/remove")
def remove(collection_id: str, video_id: str) -> Response:
    """Remove a video."""
    remove_item(stores(), current_actor(), collection_id, video_id)
    return _back(collection_id, "removed")


@changes.post("/collections/<video:collection_id>/items/<video:video_id>/move")
def move(collection_id: str, video_id: str) -> Response:
    """Move a video one place, or to an end."""
    steps = _STEPS.get(form_fields("to")["to"])
    if steps is None:
        raise Unprocessable("“to” is up, down, first or last.")
    move_item(stores().database, current_actor(), collection_id, video_id, steps=steps)
    return redirect(f"/collections/{collection_id}#item-{video_id}", 303)


@changes.post("/collections/<video:collection_id>/items/<video:video_id>/cover")
def cover(collection_id: str, video_id: str) -> Response:
    """Make a video's poster the cover."""
    edit = CollectionEdit(cover=video_id)
    try:
        edit_collection(stores().database, current_actor(), collection_id, edit)
    except Unprocessable as error:
        raise NotFound from error  # the address is of no video in the collection
    return _back(collection_id, "saved")


@changes.post("/stream/<video:video_id>/collections")
def add_from_video(video_id: str) -> Response:
    """Add a video to a collection of the viewer's, or to a new one."""
    fields = form_fields(optional=("collection", "title"))
    collection_id = fields["collection"]
    if not collection_id:
        # Asked first, so that a video that is not theirs leaves no empty collection.
        get_video_for(stores().database, Watcher(require_viewer()), video_id)
        made = create_collection(stores().database, current_actor(), title=fields["title"])
        collection_id = made.id
    add_item(stores(), current_actor(), collection_id, video_id)
    return redirect(f"{watch_url(video_id)}?in={collection_id}&done=collected", 303)


def _back(collection_id: str, done: str) -> Response:
    return redirect(f"/collections/{collection_id}?done={done}", 303)
