"""The page "Who can watch this?", its forms, and the watch page as somebody else gets it.

GET   /stream/<video>/access
POST  /stream/<video>/access                          who, level, until: share it
POST  /stream/<video>/access/visibility               visibility, downloadable
POST  /stream/<video>/access/grants/<grant>           level, until: change a grant
POST  /stream/<video>/access/grants/<grant>/remove
GET   /stream/<video>/as      ?grant= or ?link= or ?kind=members or everybody
"""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from common.access import Viewer
from common.errors import Conflict, MatineeError, NotFound, Unprocessable
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.error_handlers import wants_json
from common.web.forms import form_fields
from common.web.services import stores
from common.web.urls import watch_url
from db.engine import transaction
from db.models import Level, now
from streaming_service.services import services
from streaming_service.sharing.access_list import load_access_list
from streaming_service.sharing.directory import suggest
from streaming_service.sharing.fields import expiry_words, last_day, parse_expiry, parse_level
from streaming_service.sharing.grants import NewGrant, change_grant, create_grant, remove_grant
from streaming_service.sharing.objects import SharedObject
from streaming_service.sharing.view_as import Subject, load_page_as
from streaming_service.videos.changes import VideoEdit, edit_video
from streaming_service.videos.library import get_video_to_share

_NOTICES = {
    "shared": "It is shared. They find it under “Shared with me”.",
    "changed": "The change is saved.",
    "removed": "It is not shared with them any more.",
    "visibility": "The visibility is changed.",
}

blueprint = Blueprint("access", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)
blueprint.add_app_template_filter(last_day)
blueprint.add_app_template_filter(expiry_words)


@blueprint.get("/stream/<video:video_id>/access")
def show(video_id: str) -> str:
    """Show who can watch the video."""
    return _page(video_id)


@blueprint.post("/stream/<video:video_id>/access")
def share(video_id: str) -> Response:
    """Share the video with a person or a group."""
    get_video_to_share(stores().database, require_viewer(), video_id)
    form = form_fields("who", "level", optional=("until",))
    try:
        new = NewGrant(
            level=parse_level(form["level"]),
            anyone=form["who"],
            expires_at=parse_expiry(form["until"]),
        )
        what = SharedObject(video_id=video_id)
        stores().videos.change(
            lambda mark: create_grant(stores().database, current_actor(), what, new, mark=mark)
        )
    except (Unprocessable, Conflict) as error:
        return _again(error, video_id, values=form)
    return _done(video_id, "shared")


@blueprint.post("/stream/<video:video_id>/access/visibility")
def change_visibility(video_id: str) -> Response:
    """Change who can watch without being named, and whether they may download."""
    get_video_to_share(stores().database, require_viewer(), video_id)
    form = form_fields("visibility", optional=("downloadable",))
    edit = VideoEdit(visibility=form["visibility"], downloadable=form["downloadable"] != "")
    try:
        edit_video(stores(), current_actor(), video_id, edit)
    except Unprocessable as error:
        return _again(error, video_id)
    return _done(video_id, "visibility")


@blueprint.post("/stream/<video:video_id>/access/grants/<grant_id>")
def change(video_id: str, grant_id: str) -> Response:
    """Change what somebody may do, and until when."""
    get_video_to_share(stores().database, require_viewer(), video_id)
    form = form_fields("level", optional=("until", "until_before"))
    try:
        changes: dict[str, Any] = {"level": parse_level(form["level"])}
        # The field holds a day. An end at some hour of that day stays unless it was changed.
        if form["until"] != form["until_before"]:
            changes["expires_at"] = parse_expiry(form["until"])
        stores().videos.change(
            lambda mark: change_grant(
                stores().database, current_actor(), grant_id, changes, mark=mark
            )
        )
    except Unprocessable as error:
        return _again(error, video_id)
    return _done(video_id, "changed")


@blueprint.post("/stream/<video:video_id>/access/grants/<grant_id>/remove")
def remove(video_id: str, grant_id: str) -> Response:
    """Stop sharing the video with somebody."""
    get_video_to_share(stores().database, require_viewer(), video_id)
    stores().videos.change(
        lambda mark: remove_grant(stores().database, current_actor(), grant_id, mark=mark)
    )
    return _done(video_id, "removed")


@blueprint.get("/stream/<video:video_id>/as")
def view_as(video_id: str) -> Response | str:
    """Show the watch page as somebody else gets it."""
    get_video_to_share(stores().database, require_viewer(), video_id)
    subject = Subject(*(request.args.get(name, "") for name in ("kind", "grant", "link")))
    if subject == Subject():
        return redirect(f"{watch_url(video_id)}/access", 303)
    here = services()
    page = load_page_as(here.stores.database, current_actor(), video_id, subject, here.forecasts)
    return render_template("streaming/watch.html", **page, notice=None)


def _done(video_id: str, done: str) -> Response:
    """Go back to the page, if the viewer may still see it: their own grant may have ended."""
    try:
        get_video_to_share(stores().database, require_viewer(), video_id)
    except NotFound:
        return redirect("/stream/shared", 303)
    return redirect(f"{watch_url(video_id)}/access?done={done}", 303)


def _again(error: MatineeError, video_id: str, **options: Any) -> Response:
    """Show the page with the reason why not."""
    if wants_json():
        raise error
    return make_response(_page(video_id, error=error.sentence, **options), error.status)


def _page(video_id: str, *, error: str = "", values: dict[str, str] | None = None) -> str:
    suggests = services().settings.user_directory
    page = load_access_page(stores().database, require_viewer(), video_id, suggests=suggests)
    return render_template(
        "streaming/sharing/access.html",
        **page,
        levels=[level.value for level in Level],
        today=now().date().isoformat(),
        suggests=suggests,
        values=values or {},
        error=error,
        notice=_NOTICES.get(request.args.get("done", "")),
    )


@transaction(writes=False)
def load_access_page(
    session: Session, viewer: Viewer, video_id: str, *, suggests: bool
) -> dict[str, Any]:
    """Return what the template of the page takes.

    :param suggests: whether groups are suggested from the start.
    :raises NotFound: there is no such video, or the viewer may not share it.
    """
    video = get_video_to_share(session, viewer, video_id)
    return {
        "video": video,
        "access": load_access_list(session, video),
        "suggestions": suggest(session, viewer, "") if suggests else [],
    }
