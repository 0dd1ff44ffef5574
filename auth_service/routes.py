"""Signing in and out."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from auth_service.accounts import nobody_is_here
from auth_service.exchange import again, caller, clear_session, gate, set_session, settings
from auth_service.signing_in import sign_in
from common.errors import MatineeError
from common.web.auth import Audience, current_viewer, restrict_to, session_cookie
from common.web.forms import form_fields
from common.web.services import stores
from common.web.urls import same_site_path

LIBRARY = "/stream"

blueprint = Blueprint("signing_in", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.get("/")
def start() -> Response | str:
    """Lead to the library, or show the log-in page."""
    return redirect(LIBRARY, 303) if current_viewer() else _page()


@blueprint.get("/login")
def show_login() -> Response | str:
    """Show the log-in page; who is signed in already goes on."""
    next_path = same_site_path(request.args.get("next"), default="")
    if current_viewer():
        return redirect(next_path or LIBRARY, 303)
    return _page(next_path=next_path)


@blueprint.post("/login")
def log_in() -> Response:
    """Sign in. The token is always a new one, and a session that the browser had before ends."""
    form = form_fields("username", "password", optional=("next",))
    username, next_path = form["username"], same_site_path(form["next"], default="")
    try:
        token, _viewer = sign_in(
            gate(), username=username, password=form["password"], caller=caller()
        )
    except MatineeError as error:
        return again(
            error, lambda sentence: _page(error=sentence, username=username, next_path=next_path)
        )
    stores().sessions.end(request.cookies.get(session_cookie()))
    response = redirect(next_path or LIBRARY, 303)
    set_session(response, token)
    return response


@blueprint.post("/logout")
def log_out() -> Response:
    """End the browser's session, on every service at once; being signed out already is fine."""
    stores().sessions.end(request.cookies.get(session_cookie()))
    response = redirect("/login", 303)
    clear_session(response)
    return response


def _page(*, error: str | None = None, username: str = "", next_path: str = "") -> str:
    return render_template(
        "auth/login.html",
        next=next_path,
        username=username,
        error=error,
        registration_open=settings().registration_open,
        first_account=stores().database.read(nobody_is_here),
    )
