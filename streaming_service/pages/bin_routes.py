"""The bin: deleted videos, and the way back.

GET  /stream/bin                  ?after=<cursor>
POST /stream/bin/empty            deletes everything in it for good
POST /stream/<video>/restore      leads to the page that `from` names: library, bin, or the video's
POST /stream/<video>/delete-now   deletes one for good
GET  /api/bin                     {"videos": [video, ...], "next": cursor or null}; ?after=<cursor>
POST /api/videos/<video>/restore  the video

A video in the bin has `binned_at` and `deleted_on`, when it is deleted for good.
"""

from typing import Any

from flask import Blueprint, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from common.access import Viewer, Watcher
from common.forecast import ForecastCache
from common.quota import binned_bytes
from common.translation import gettext_noop
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.notices import notice_of
from common.web.services import stores
from common.web.urls import watch_url
from db.engine import transaction
from streaming_service.pages.api_routes import load_video
from streaming_service.pages.list_query import read_parameter
from streaming_service.pages.list_view import current_view
from streaming_service.services import services
from streaming_service.videos.bin import (
    delete_permanently,
    deleted_on,
    empty_bin,
    list_bin,
    restore_video,
)
from streaming_service.videos.cursors import Cursor, Sort
from streaming_service.videos.presenters import load_cards, load_json

_NOTICES = {
    "restored": gettext_noop("The video is restored, with everyone who could watch it."),
    "deleted": gettext_noop("The video is deleted for good."),
    "emptied": gettext_noop("Your bin is empty."),
}
_AFTER_RESTORE = {"library": "/stream?whose=mine&done=restored", "bin": "/stream/bin?done=restored"}

blueprint = Blueprint("bin", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)


@blueprint.get("/stream/bin")
def show() -> str:
    """Show a page of the bin; a cursor that makes no sense leads to the first page."""
    here, after = services(), _after(strict=False)
    page = load_bin_page(here.stores.database, require_viewer(), after, here.forecasts)
    return render_template(
        "streaming/bin.html",
        **page,
        bin_days=here.bin_days,
        view=current_view().value,
        notice=notice_of(_NOTICES),
    )


@transaction(writes=False)
def load_bin_page(
    session: Session, viewer: Viewer, after: Cursor | None, forecasts: ForecastCache
) -> dict[str, Any]:
    """Return what the template of the bin takes."""
    page = list_bin(session, viewer, after=after)
    return {
        "videos": load_cards(session, Watcher(viewer), page.videos, forecasts),
        "more": f"/stream/bin?after={page.next}" if page.next else None,
        "size": binned_bytes(session, user_id=viewer.id),
    }


@blueprint.post("/stream/bin/empty")
def empty() -> Response:
    """Delete everything in the bin for good."""
    empty_bin(stores(), current_actor())
    return redirect("/stream/bin?done=emptied", 303)


@blueprint.post("/stream/<video:video_id>/restore")
def restore(video_id: str) -> Response:
    """Take a video out of the bin, and go back to the page that it was done on."""
    restore_video(stores(), current_actor(), video_id)
    origin = request.form.get("from", "")
    return redirect(_AFTER_RESTORE.get(origin, f"{watch_url(video_id)}?done=restored"), 303)


@blueprint.post("/stream/<video:video_id>/delete-now")
def delete_now(video_id: str) -> Response:
    """Delete a video for good."""
    delete_permanently(stores(), current_actor(), video_id)
    return redirect("/stream/bin?done=deleted", 303)


@blueprint.get("/api/bin")
def list_for_scripts() -> dict[str, Any]:
    """List the caller's bin, a page at a time."""
    here, after = services(), _after(strict=True)
    return load_bin_json(
        here.stores.database, require_viewer(), after, here.forecasts, here.bin_days
    )


@transaction(writes=False)
def load_bin_json(
    session: Session,
    viewer: Viewer,
    after: Cursor | None,
    forecasts: ForecastCache,
    bin_days: int,
) -> dict[str, Any]:
    """Return a page of the bin for scripts, and the cursor of the next page."""
    page = list_bin(session, viewer, after=after)
    listed = load_json(session, Watcher(viewer), page.videos, forecasts)
    for fields, video in zip(listed, page.videos, strict=True):
        end = deleted_on(video, bin_days=bin_days)
        fields["deleted_on"] = end.isoformat() if end else None
    return {"videos": listed, "next": str(page.next) if page.next else None}


@blueprint.post("/api/videos/<video:video_id>/restore")
def restore_for_scripts(video_id: str) -> dict[str, Any]:
    """Take a video out of the bin, and return it."""
    restore_video(stores(), current_actor(), video_id)
    here = services()
    return load_video(here.stores.database, Watcher(require_viewer()), video_id, here.forecasts)


def _after(*, strict: bool) -> Cursor | None:
    return read_parameter("after", lambda text: Cursor.read(text, Sort.NEWEST), None, strict=strict)
