"""The page that a one-time password link opens.

GET  /password/<token>    the form
POST /password/<token>    sets the password, ends all sessions of the account, and logs in
"""

from functools import partial

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from auth_service.password_links import PasswordLinkNotFound, find_password_link, set_password
from auth_service.request_helpers import (
    begin_browser_session,
    client_info,
    keep_token_private,
    limited_tokens,
    rerender_with_error,
)
from auth_service.services import services
from common.errors import MatineeError
from common.web.auth import Audience, restrict_to
from common.web.forms import form_fields
from common.web.services import stores
from db.models import User

blueprint = Blueprint("password_link", __name__)
restrict_to(blueprint, Audience.ANYBODY)
blueprint.after_request(keep_token_private)


@blueprint.get("/password/<password_token>")
def show(password_token: str) -> str:
    """Show the form for the new password."""
    return _page(_find(password_token))


@blueprint.post("/password/<password_token>")
def submit(password_token: str) -> Response:
    """Set the new password."""
    user = _find(password_token)
    form = form_fields("password", optional=("username",))
    try:
        session_token = set_password(
            services(), token=password_token, password=form["password"], client=client_info()
        )
    except MatineeError as error:
        return rerender_with_error(error, partial(_page, user))
    return begin_browser_session(session_token)


def _find(token: str) -> User:
    with limited_tokens(token, PasswordLinkNotFound):
        return find_password_link(stores().database, token)


def _page(user: User, *, error: str | None = None) -> str:
    return render_template("auth/new_password.html", name=user.name, error=error)
