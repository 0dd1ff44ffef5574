"""The account page: sessions, password, deletion."""

from dataclasses import replace

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from auth_service import accounts
from auth_service.account_deletion import delete_account
from auth_service.login import confirm_password
from auth_service.new_passwords import hash_new_password
from auth_service.request_helpers import clear_session, client_info, rerender_with_error
from auth_service.services import services
from auth_service.user_admin import UserFields, change_user
from auth_service.user_agents import device_words
from auth_service.usernames import parse_name
from common.errors import MatineeError, NotFound
from common.quota import storage_use
from common.translation import gettext_noop
from common.web.auth import Audience, current_actor, require_viewer, restrict_to, session_token
from common.web.forms import form_fields
from common.web.notices import notice_of
from common.web.services import stores
from db.models import User

_DONE = {
    "name": gettext_noop("Your user name is changed. Sign in with it from now on."),
    "password": gettext_noop("Your password is changed. All your other sessions have ended."),
    "language": gettext_noop("Your language is saved."),
    "theme": gettext_noop("The appearance is saved for this browser."),
    "session": gettext_noop("That session has ended."),
    "sessions": gettext_noop("All your other sessions have ended."),
}

blueprint = Blueprint("account", __name__, url_prefix="/account")
restrict_to(blueprint, Audience.SIGNED_IN)


@blueprint.get("")
def show() -> str:
    """Show the account and its sessions."""
    return _page()


@blueprint.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> Response:
    """End one session of the account."""
    if not stores().sessions.end_listed(require_viewer().id, session_id):
        raise NotFound
    return redirect("/account?done=session", 303)


@blueprint.post("/sessions/end-others")
def end_other_sessions() -> Response:
    """End all sessions of the account but the one of this request."""
    stores().sessions.end_all(require_viewer().id, but=session_token())
    return redirect("/account?done=sessions", 303)


@blueprint.post("/name")
def change_name() -> Response:
    """Change the name with which one signs in, and which others see."""
    form = form_fields("username")
    try:
        services().names.count(require_viewer().id)
        fields = UserFields(name=parse_name(form["username"]))
        change_user(stores(), current_actor(), user_id=require_viewer().id, fields=fields)
    except MatineeError as error:
        return rerender_with_error(error, _page, errors_in="name")
    return redirect("/account?done=name", 303)


@blueprint.post("/password")
def change_password() -> Response:
    """Change the password; every other session ends."""
    form = form_fields("current", "password", optional=("username",))
    try:
        user = _confirmed_user(form["current"])
        new_hash = hash_new_password(services().passwords, form["password"], username=user.name)
        accounts.change_password(
            stores(), current_actor(), user=user, new_hash=new_hash, token=session_token()
        )
    except MatineeError as error:
        return rerender_with_error(error, _page, errors_in="password")
    return redirect("/account?done=password", 303)


@blueprint.post("/delete")
def delete() -> Response:
    """Delete the account with its videos."""
    form = form_fields("password")
    try:
        user = _confirmed_user(form["password"])
        delete_account(stores(), current_actor(), user=user)
    except MatineeError as error:
        return rerender_with_error(error, _page, errors_in="delete")
    response = redirect("/login?done=deleted", 303)
    clear_session(response)
    return response


def _confirmed_user(password: str) -> User:
    return confirm_password(
        services(), viewer=require_viewer(), password=password, client=client_info()
    )


def _page(*, error: str | None = None, errors_in: str | None = None) -> str:
    viewer = require_viewer()
    return render_template(
        "auth/account.html",
        sessions=[
            replace(session, device=device_words(session.device))
            for session in stores().sessions.summaries(viewer.id, current=session_token())
        ],
        storage=storage_use(
            stores().database, user_id=viewer.id, default_quota=stores().site.current().quota
        ),
        error=error,
        errors_in=errors_in,
        notice=notice_of(_DONE),
    )
