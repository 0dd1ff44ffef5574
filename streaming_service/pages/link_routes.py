"""Pages and forms of share links, for those who share.

GET, POST  /stream/<video>/links              its links; make one
GET, POST  /collections/<collection>/links    the same for a collection
GET        /account/links                     the links of the account
POST       /account/links/revoke-all
GET, POST  /account/links/<link>              the form of one link; change it
POST       /account/links/<link>/extend       by 30 days
POST       /account/links/<link>/revoke

A form may name the page to go back to as `next`. The address of a new link is in the answer to its
form alone.
"""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from common.errors import Conflict, Unprocessable
from common.passwords import HashingBusy
from common.translation import gettext, gettext_noop
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.forms import form_fields
from common.web.notices import notice_of
from common.web.services import stores
from common.web.urls import same_site_path
from db.models import Link
from streaming_service.pages.refused import refused
from streaming_service.services import services
from streaming_service.sharing.fields import parse_expiry, parse_level
from streaming_service.sharing.link_rules import LinkFields
from streaming_service.sharing.link_views import (
    NewLink,
    chosen_expiry,
    extended_expiry,
    load_link_section,
    load_own_links,
)
from streaming_service.sharing.links import (
    LinkMaker,
    change_link,
    count_links,
    create_link,
    get_link,
    revoke_all_links,
    revoke_link,
)
from streaming_service.sharing.objects import SharedObject, get_object_to_share

_FIELDS = ("label", "level", "expires", "expires_on", "password", "max_views", "show_title")
_ACCOUNT = "/account/links"
LINK_NOTICES = {
    "changed": gettext_noop("The link is changed."),
    "extended": gettext_noop("The link works for longer now."),
    "revoked": gettext_noop("The link is revoked: it opens nothing any more."),
    "all-revoked": gettext_noop("All your links are revoked: they open nothing any more."),
}

blueprint = Blueprint("links", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)


@blueprint.get("/stream/<video:video_id>/links", endpoint="of_video")
@blueprint.get("/collections/<video:collection_id>/links", endpoint="of_collection")
def show(**ids: str) -> str:
    """Show the links of a video or collection."""
    return _page(SharedObject(**ids), notice=notice_of(LINK_NOTICES))


@blueprint.post("/stream/<video:video_id>/links", endpoint="add_to_video")
@blueprint.post("/collections/<video:collection_id>/links", endpoint="add_to_collection")
def add(**ids: str) -> Response:
    """Make a link to a video or collection, and show its address."""
    what = SharedObject(**ids)
    # Asked first: a form that is wrong must not tell a stranger that the video exists.
    get_object_to_share(stores().database, require_viewer(), what)
    form = form_fields(optional=(*_FIELDS, "next"))
    try:
        _, token = create_link(link_maker(), current_actor(), what, _new_fields(form))
    except (Unprocessable, Conflict, HashingBusy) as error:
        page = _page(what, values=form, error=error.sentence, back=form["next"])
        return refused(error, page)
    page = _page(what, new=NewLink(link_url(token)), back=form["next"])
    return make_response(page, 201)


@blueprint.get(_ACCOUNT)
def mine() -> str:
    """Show the links of the account; administrators also see how many others have."""
    viewer, database = require_viewer(), stores().database
    return render_template(
        "streaming/sharing/own_links.html",
        links=load_own_links(database, viewer, services().link_rules),
        counts=count_links(database) if viewer.may_administer else None,
        back=_ACCOUNT,
        notice=notice_of(LINK_NOTICES),
    )


@blueprint.post(f"{_ACCOUNT}/revoke-all")
def revoke_all() -> Response:
    """Revoke all links of the account."""
    revoke_all_links(stores(), current_actor())
    return redirect(f"{_ACCOUNT}?done=all-revoked", 303)


@blueprint.get(f"{_ACCOUNT}/<video:link_id>")
def edit_form(link_id: str) -> str:
    """Show the form of one link."""
    link = get_link(stores().database, require_viewer(), link_id)
    return _edit_page(link, back=_back(request.args.get("next"), link))


@blueprint.post(f"{_ACCOUNT}/<video:link_id>")
def edit(link_id: str) -> Response:
    """Change a link, or show its form again with the reason why not."""
    link = get_link(stores().database, require_viewer(), link_id)
    form = form_fields(optional=(*_FIELDS, "no_password", "next"))
    back = _back(form["next"], link)
    try:
        change_link(link_maker(), current_actor(), link_id, _changes(form))
    except (Unprocessable, HashingBusy) as error:
        return refused(error, _edit_page(link, back=back, values=form, error=error.sentence))
    return _go(back, "changed")


@blueprint.post(f"{_ACCOUNT}/<video:link_id>/extend")
def extend(link_id: str) -> Response:
    """Let a link work for 30 days more."""
    link = get_link(stores().database, require_viewer(), link_id)
    expires_at = extended_expiry(link, services().link_rules)
    change_link(link_maker(), current_actor(), link_id, {"expires_at": expires_at})
    return _go(_back(request.form.get("next"), link), "extended")


@blueprint.post(f"{_ACCOUNT}/<video:link_id>/revoke")
def revoke(link_id: str) -> Response:
    """Revoke a link."""
    link = get_link(stores().database, require_viewer(), link_id, to_revoke=True)
    revoke_link(stores(), current_actor(), link_id)
    return _go(_back(request.form.get("next"), link), "revoked")


def link_maker() -> LinkMaker:
    """Return what making and changing links needs."""
    here = services()
    return LinkMaker(here.stores, here.passwords, here.link_rules)


def link_url(token: str) -> str:
    """Return the whole address of a link, to be copied."""
    return f"{request.host_url}s/{token}"


def _new_fields(form: dict[str, str]) -> LinkFields:
    """Read the form of a new link."""
    fields = _fields(form)
    if form["expires"] and not form["expires_on"]:
        fields["expires_at"] = chosen_expiry(services().link_rules, form["expires"])
    return fields


def _changes(form: dict[str, str]) -> LinkFields:
    """Read the form of a link that is there. What is empty of expiry and password stays."""
    fields = _fields(form)
    if form["expires"] == "never" and not form["expires_on"]:
        fields["expires_at"] = None
    if form["no_password"]:
        fields["password"] = None
    return fields


def _fields(form: dict[str, str]) -> LinkFields:
    fields: LinkFields = {
        "label": form["label"],
        "max_views": _number(form["max_views"]),
        "show_title": form["show_title"] != "",
    }
    if form["level"]:
        fields["level"] = parse_level(form["level"])
    if form["expires_on"]:
        fields["expires_at"] = parse_expiry(form["expires_on"])
    if form["password"]:
        fields["password"] = form["password"]
    return fields


def _number(text: str) -> int | None:
    digits = text.strip()
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise Unprocessable(gettext("The number of views is a whole number, or empty."))
    return int(digits)


def _page(what: SharedObject, *, back: str | None = "", **extra: Any) -> str:
    section = load_link_section(
        stores().database,
        require_viewer(),
        what,
        services().link_rules,
        back=same_site_path(back, default=""),
        **extra,
    )
    return render_template("streaming/sharing/links_page.html", section=section)


def _edit_page(
    link: Link, *, back: str, values: dict[str, str] | None = None, error: str = ""
) -> str:
    current = {
        "label": link.label,
        "level": link.level.value,
        "expires": "keep",
        "max_views": "" if link.max_views is None else str(link.max_views),
        "show_title": "on" if link.show_title else "",
    }
    return render_template(
        "streaming/sharing/edit_link.html",
        link=link,
        rules=services().link_rules,
        values=values or current,
        error=error,
        back=back,
    )


def _back(path: str | None, link: Link) -> str:
    """Return the page to go back to: the one that the form names, or that of the links."""
    return same_site_path(path, default=f"{SharedObject.of(link).url}/links")


def _go(back: str, done: str) -> Response:
    return redirect(f"{back}{'&' if '?' in back else '?'}done={done}", 303)
