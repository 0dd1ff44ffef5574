"""Making an account for oneself."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from auth_service.accounts import nobody_is_here
from auth_service.exchange import again, caller, gate, set_session, settings
from auth_service.passwords import SHORTEST
from auth_service.registration import register
from common.errors import MatineeError
from common.web.auth import Audience, restrict_to, session_cookie
from common.web.forms import form_fields
from common.web.services import stores
from db.models import Role

blueprint = Blueprint("registration", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.get("/register")
def show_registration() -> str:
    """Show the form, or say that registration is closed."""
    return _page()


@blueprint.post("/register")
def send_registration() -> Response:
    """Make an account and sign it in; a session that the browser had before ends."""
    form = form_fields("username", "password")
    try:
        token = register(
            gate(),
            username=form["username"],
            password=form["password"],
            caller=caller(),
            registration_open=settings().registration_open,
        )
    except MatineeError as error:
        return again(error, lambda sentence: _page(error=sentence, username=form["username"]))
    stores().sessions.end(request.cookies.get(session_cookie()))
    response = redirect("/stream", 303)
    set_session(response, token)
    return response


def _page(*, error: str | None = None, username: str = "") -> str:
    return render_template(
        "auth/register.html",
        username=username,
        error=error,
        registration_open=settings().registration_open,
        first_account=stores().database.read(nobody_is_here),
        min_password=SHORTEST,
        role_name=Role.UPLOADER.value,
    )
