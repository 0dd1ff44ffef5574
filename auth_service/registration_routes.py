"""The registration page."""

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from auth_service.accounts import has_no_accounts
from auth_service.registration import register
from auth_service.request_helpers import (
    LIBRARY,
    begin_browser_session,
    client_info,
    rerender_with_error,
)
from auth_service.services import services
from common.errors import MatineeError
from common.passwords import MIN_LENGTH
from common.web.auth import Audience, current_viewer, restrict_to
from common.web.forms import form_fields
from db.models import Role

blueprint = Blueprint("registration", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.get("/register")
def show_registration() -> Response | str:
    """Show the form, or that registration is closed; a user who is signed in is redirected."""
    return redirect(LIBRARY, 303) if current_viewer() else _page()


@blueprint.post("/register")
def submit_registration() -> Response:
    """Create an account and log in; a session that the browser had before ends."""
    form = form_fields("username", "password")
    try:
        token = register(
            services(), username=form["username"], password=form["password"], client=client_info()
        )
    except MatineeError as error:
        return rerender_with_error(error, _page, username=form["username"])
    return begin_browser_session(token)


def _page(*, error: str | None = None, username: str = "") -> str:
    return render_template(
        "auth/register.html",
        username=username,
        error=error,
        registration_open=services().settings.registration_open,
        first_account=has_no_accounts(services().stores.database),
        min_password=MIN_LENGTH,
        role_name=Role.UPLOADER.value,
    )
