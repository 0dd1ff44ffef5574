"""The registration page, and the strength of a password as it is typed."""

from typing import Any

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from auth_service.accounts import has_no_accounts
from auth_service.new_passwords import MIN_SCORE, password_score
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
from common.web.forms import form_fields, json_fields

SETUP = "/admin/setup"  # where the first administrator goes on

blueprint = Blueprint("registration", __name__)
restrict_to(blueprint, Audience.ANYBODY)
strength = Blueprint("password_strength", __name__)
restrict_to(strength, Audience.ANYBODY)


@blueprint.get("/register")
def show_registration() -> Response | str:
    """Show the form, or that registration is closed; a user who is signed in is redirected."""
    return redirect(LIBRARY, 303) if current_viewer() else _page()


@blueprint.post("/register")
def submit_registration() -> Response:
    """Create an account and log in; a user who is signed in already is redirected."""
    if current_viewer():
        return redirect(LIBRARY, 303)
    form = form_fields("username", "password")
    try:
        account = register(
            services(), username=form["username"], password=form["password"], client=client_info()
        )
    except MatineeError as error:
        return rerender_with_error(error, _page, username=form["username"])
    return begin_browser_session(account.token, next_path=SETUP if account.is_first else LIBRARY)


@strength.post("/api/passwords")
def show_strength() -> dict[str, Any]:
    """Return how strong a password is, from 0 to 4, and whether it is accepted. Nothing is kept."""
    fields = json_fields("password", optional=("username",))
    score = password_score(fields["password"], own_words=(fields.get("username", ""),))
    long_enough = len(fields["password"]) >= MIN_LENGTH
    return {"score": score, "accepted": long_enough and score >= MIN_SCORE}


def _page(*, error: str | None = None, username: str = "") -> str:
    here = services()
    settings = here.stores.database.read(here.stores.site.load)
    return render_template(
        "auth/register.html",
        username=username,
        error=error,
        registration=settings.registration.value,
        first_account=has_no_accounts(here.stores.database),
        role_name=settings.new_role.value,
    )
