"""Invitations: the administrators' page, and the page that an invited person sees.

GET  /admin/invitations               the list and the form
POST /admin/invitations               makes one: label, role, uses, days, group (any number)
POST /admin/invitations/<id>/revoke
GET  /invite/<token>                  "Create your account"
POST /invite/<token>                  makes the account
"""

import re
from functools import partial

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from auth_service.invitations import (
    DEFAULT_DAYS,
    InvitationNotFound,
    NewInvitation,
    accept_invitation,
    create_invitation,
    find_invitation,
    joinable_groups,
    list_invitations,
    revoke_invitation,
)
from auth_service.request_helpers import (
    LIBRARY,
    begin_browser_session,
    client_info,
    keep_token_private,
    limited_tokens,
    new_address,
    parse_role,
    rerender_with_error,
)
from auth_service.services import services
from auth_service.tokens import NewAddress
from common.errors import MatineeError, Unprocessable
from common.translation import gettext, gettext_noop
from common.web.auth import (
    Audience,
    current_actor,
    current_viewer,
    require_viewer,
    restrict_to,
)
from common.web.forms import form_fields
from common.web.notices import notice_of
from common.web.services import stores
from db.models import Invitation

_PAGE = "/admin/invitations"
_DONE = {
    "revoked": gettext_noop("The invitation is revoked. Accounts that were made with it stay.")
}

administration = Blueprint("invitation_admin", __name__)
restrict_to(administration, Audience.ADMINISTRATORS)
blueprint = Blueprint("invitation", __name__)
restrict_to(blueprint, Audience.ANYBODY)
blueprint.after_request(keep_token_private)


@administration.get(_PAGE)
def show_all() -> str:
    """Show the invitations."""
    return _admin_page()


@administration.post(_PAGE)
def create() -> Response:
    """Make an invitation, and show its address, this once."""
    form = form_fields("role", optional=("label", "uses", "days"))
    try:
        wanted = NewInvitation(
            label=form["label"],
            role=parse_role(form["role"]),
            max_uses=_number(form["uses"]),
            days=_number(form["days"]),
            group_ids=request.form.getlist("group"),
        )
        _invitation, token = create_invitation(stores().database, current_actor(), wanted)
    except MatineeError as error:
        return rerender_with_error(error, _admin_page)
    return make_response(_admin_page(new=new_address(f"/invite/{token}")), 201)


@administration.post(f"{_PAGE}/<invitation_id>/revoke")
def revoke(invitation_id: str) -> Response:
    """Revoke an invitation."""
    revoke_invitation(stores().database, current_actor(), invitation_id)
    return redirect(f"{_PAGE}?done=revoked", 303)


@blueprint.get("/invite/<invitation_token>")
def show(invitation_token: str) -> str:
    """Show the form for the new account. Who is signed in is told so: they have an account."""
    return _page(*_find(invitation_token))


@blueprint.post("/invite/<invitation_token>")
def accept(invitation_token: str) -> Response:
    """Make the account and log in."""
    invitation, made_by = _find(invitation_token)
    if current_viewer():
        return redirect(LIBRARY, 303)
    form = form_fields("username", "password")
    try:
        account = accept_invitation(
            services(),
            token=invitation_token,
            username=form["username"],
            password=form["password"],
            client=client_info(),
        )
    except MatineeError as error:
        page = partial(_page, invitation, made_by)
        return rerender_with_error(error, page, username=form["username"])
    return begin_browser_session(account.token)


def _find(token: str) -> tuple[Invitation, str]:
    with limited_tokens(token, InvitationNotFound):
        return find_invitation(stores().database, token)


def _number(text: str) -> int | None:
    """Return a number that a form has; None: empty, which is no limit.

    :raises Unprocessable: it is no whole number.
    """
    if not text.strip():
        return None
    if not re.fullmatch("[0-9]{1,6}", text.strip()):
        raise Unprocessable(gettext("That is not a whole number."))
    return int(text)


def _page(
    invitation: Invitation, made_by: str, *, error: str | None = None, username: str = ""
) -> str:
    return render_template(
        "auth/invited.html",
        invitation=invitation,
        made_by=made_by,
        error=error,
        username=username,
    )


def _admin_page(*, error: str | None = None, new: NewAddress | None = None) -> str:
    database = stores().database
    return render_template(
        "auth/invitations.html",
        invitations=list_invitations(database),
        groups=joinable_groups(database, require_viewer().id),
        chosen=request.form.getlist("group") if error else [],
        default_days=DEFAULT_DAYS,
        error=error,
        new=new,
        notice=notice_of(_DONE),
    )
