"""The page "Who can watch this?", its forms, and the watch page as somebody else gets it.

GET   /stream/<video>/access
POST  /stream/<video>/access                          who, level, until: share it
POST  /stream/<video>/access/grants/<grant>           level, until: change a grant
POST  /stream/<video>/access/grants/<grant>/remove
POST  /stream/<video>/access/visibility               visibility, downloadable
GET   /stream/<video>/as      ?grant= or ?link= or ?kind=members or everybody

The first four are there for `/collections/<collection>/access` too.
"""

from typing import Any

from flask import Blueprint, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from common.access import Viewer
from common.directory import suggest
from common.errors import Conflict, NotFound, Unprocessable
from common.translation import gettext_noop
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.forms import form_fields
from common.web.notices import notice_of
from common.web.services import stores
from common.web.urls import watch_url
from db.engine import transaction
from db.models import Level, Video, now
from streaming_service.pages.link_routes import LINK_NOTICES
from streaming_service.pages.refused import refused
from streaming_service.services import services
from streaming_service.sharing.access_list import load_access_list, load_collection_access
from streaming_service.sharing.fields import expiry_words, last_day, parse_expiry, parse_level
from streaming_service.sharing.grants import NewGrant, change_grant, create_grant, remove_grant
from streaming_service.sharing.link_rules import LinkRules
from streaming_service.sharing.link_views import load_link_section
from streaming_service.sharing.objects import SharedObject, get_object_to_share
from streaming_service.sharing.view_as import Subject, load_page_as
from streaming_service.videos.changes import VideoEdit, edit_video

_NOTICES = {
    "shared": gettext_noop("It is shared. They find it under “Shared with me”."),
    "saved": gettext_noop("The change is saved."),
    "removed": gettext_noop("It is not shared with them any more."),
    "visibility": gettext_noop("The visibility is changed."),
}

blueprint = Blueprint("access", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)
blueprint.add_app_template_filter(last_day)
blueprint.add_app_template_filter(expiry_words)


@blueprint.get("/stream/<video:video_id>/access")
@blueprint.get("/collections/<video:collection_id>/access")
def show(**ids: str) -> str:
    """Show who can watch a video, or see a collection."""
    return _page(SharedObject(**ids))


@blueprint.post("/stream/<video:video_id>/access")
@blueprint.post("/collections/<video:collection_id>/access")
def share(**ids: str) -> Response:
    """Share a video or collection with a person or a group."""
    what = SharedObject(**ids)
    get_object_to_share(stores().database, require_viewer(), what)
    form = form_fields("who", "level", optional=("until",))
    try:
        new = NewGrant(
            level=parse_level(form["level"]),
            anyone=form["who"],
            expires_at=parse_expiry(form["until"]),
        )
        create_grant(stores(), current_actor(), what, new)
    except (Unprocessable, Conflict) as error:
        return refused(error, _page(what, error=error.sentence, values=form))
    return _done(what, "shared")


@blueprint.post("/stream/<video:video_id>/access/grants/<grant_id>")
@blueprint.post("/collections/<video:collection_id>/access/grants/<grant_id>")
def change(grant_id: str, **ids: str) -> Response:
    """Change what somebody may do, and until when."""
    what = SharedObject(**ids)
    get_object_to_share(stores().database, require_viewer(), what)
    form = form_fields("level", optional=("until", "until_before"))
    try:
        changes: dict[str, Any] = {"level": parse_level(form["level"])}
        # The field holds a day. An end at some hour of that day stays unless it was changed.
        if form["until"] != form["until_before"]:
            changes["expires_at"] = parse_expiry(form["until"])
        change_grant(stores(), current_actor(), grant_id, changes)
    except (Unprocessable, Conflict) as error:
        return refused(error, _page(what, error=error.sentence))
    return _done(what, "saved")


@blueprint.post("/stream/<video:video_id>/access/grants/<grant_id>/remove")
@blueprint.post("/collections/<video:collection_id>/access/grants/<grant_id>/remove")
def remove(grant_id: str, **ids: str) -> Response:
    """Stop sharing a video or collection with somebody."""
    what = SharedObject(**ids)
    get_object_to_share(stores().database, require_viewer(), what)
    remove_grant(stores(), current_actor(), grant_id)
    return _done(what, "removed")


@blueprint.post("/stream/<video:video_id>/access/visibility")
def change_visibility(video_id: str) -> Response:
    """Change who can watch without being named, and whether they may download."""
    what = SharedObject(video_id=video_id)
    get_object_to_share(stores().database, require_viewer(), what)
    form = form_fields("visibility", optional=("downloadable",))
    edit = VideoEdit(visibility=form["visibility"], downloadable=form["downloadable"] != "")
    try:
        edit_video(stores(), current_actor(), video_id, edit)
    except Unprocessable as error:
        return refused(error, _page(what, error=error.sentence))
    return _done(what, "visibility")


@blueprint.get("/stream/<video:video_id>/as")
def view_as(video_id: str) -> Response | str:
    """Show the watch page as somebody else gets it."""
    get_object_to_share(stores().database, require_viewer(), SharedObject(video_id=video_id))
    subject = Subject(*(request.args.get(name, "") for name in ("kind", "grant", "link")))
    if subject == Subject():
        return redirect(f"{watch_url(video_id)}/access", 303)
    here = services()
    page = load_page_as(here.stores.database, current_actor(), video_id, subject, here.forecasts)
    return render_template("streaming/watch.html", **page, notice=None)


def _done(what: SharedObject, done: str) -> Response:
    """Go back to the page, if the viewer may still see it: their own grant may have ended."""
    try:
        get_object_to_share(stores().database, require_viewer(), what)
    except NotFound:
        return redirect("/stream/shared", 303)
    return redirect(f"{what.url}/access?done={done}", 303)


def _page(what: SharedObject, *, error: str = "", values: dict[str, str] | None = None) -> str:
    here = services()
    page = load_access_page(
        stores().database,
        require_viewer(),
        what,
        here.link_rules,
        suggests=here.settings.user_directory,
        link_notice=notice_of(LINK_NOTICES),
    )
    return render_template(
        "streaming/sharing/access.html",
        **page,
        levels=[level.value for level in Level],
        today=now().date().isoformat(),
        suggests=here.settings.user_directory,
        has_cdn=here.settings.cdn is not None,
        values=values or {},
        error=error,
        notice=notice_of(_NOTICES),
    )


@transaction(writes=False)
def load_access_page(
    session: Session,
    viewer: Viewer,
    what: SharedObject,
    rules: LinkRules,
    *,
    suggests: bool,
    link_notice: str | None = None,
) -> dict[str, Any]:
    """Return what the template of the page takes.

    :param rules: what the administrator asks of links.
    :param suggests: whether names of people are suggested.
    :param link_notice: what has just been done with a link.
    :raises NotFound: there is no such video or collection, or the viewer may not share it.
    """
    shared = get_object_to_share(session, viewer, what)
    back = f"{what.url}/access"
    section = load_link_section(session, viewer, what, rules, back=back, notice=link_notice)
    if isinstance(shared, Video):
        access = load_access_list(session, shared)
    else:
        access = load_collection_access(session, shared)
    return {
        "shared": shared,
        "page": what.url,
        "access": access,
        "suggestions": suggest(session, viewer, "") if suggests else [],
        "links": section,
    }
