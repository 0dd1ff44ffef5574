"""Start page, login and logout."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from auth_service.accounts import has_no_accounts
from auth_service.login import log_in
from auth_service.request_helpers import (
    LIBRARY,
    begin_browser_session,
    clear_session,
    client_info,
    rerender_with_error,
)
from auth_service.services import services
from common.errors import MatineeError
from common.translation import gettext_noop
from common.web.auth import Audience, current_viewer, restrict_to, session_cookie
from common.web.forms import form_fields
from common.web.notices import notice_of
from common.web.urls import same_site_path

_DONE = {
    "signed-out": gettext_noop("You are signed out."),
    "deleted": gettext_noop("The account is deleted."),
}

blueprint = Blueprint("login", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.get("/")
def start() -> Response | str:
    """Show the login page, or redirect as it does."""
    return _login_page(next_path="")


@blueprint.get("/login")
def show_login() -> Response | str:
    """Show the login page; a user who is signed in is redirected, and so is the first of all."""
    return _login_page(next_path=same_site_path(request.args.get("next"), default=""))


@blueprint.post("/login")
def submit_login() -> Response:
    """Log in. The token is always a new one, and a session that the browser had before ends."""
    form = form_fields("username", "password", optional=("next",))
    username, next_path = form["username"], same_site_path(form["next"], default="")
    try:
        token, _viewer = log_in(
            services(), username=username, password=form["password"], client=client_info()
        )
    except MatineeError as error:
        return rerender_with_error(error, _page, username=username, next_path=next_path)
    return begin_browser_session(token, next_path=next_path or LIBRARY)


@blueprint.post("/logout")
def log_out() -> Response:
    """End the browser's session on every service at once, if there is one."""
    services().stores.sessions.end(request.cookies.get(session_cookie()))
    response = redirect("/login?done=signed-out", 303)
    clear_session(response)
    return response


@blueprint.get("/password")
def show_forgotten() -> str:
    """Say what to do about a forgotten password."""
    return render_template("auth/forgotten_password.html")


def _login_page(*, next_path: str) -> Response | str:
    if current_viewer():
        return redirect(next_path or LIBRARY, 303)
    if has_no_accounts(services().stores.database):
        return redirect("/register", 303)
    return _page(next_path=next_path)


def _page(*, error: str | None = None, username: str = "", next_path: str = "") -> str:
    return render_template(
        "auth/login.html",
        next=next_path,
        username=username,
        error=error,
        notice=None if error else notice_of(_DONE),
        registration=services().stores.site.current().registration.value,
    )
