"""The page "People": accounts, for administrators."""

from collections.abc import Callable
from typing import ParamSpec

import structlog
from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from auth_service import user_admin
from auth_service.accounts import create_account
from auth_service.quotas import parse_quota
from auth_service.request_helpers import parse_role, rerender_with_error
from auth_service.services import services
from auth_service.usernames import parse_name
from common.errors import Conflict, MatineeError
from common.quota import users_with_storage_use
from common.translation import gettext, gettext_noop
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.forms import form_fields
from common.web.notices import done_notice
from db.models import Role

_DONE = {
    "added": gettext_noop("The account is created. Tell the person their name and password."),
    "role": gettext_noop("The role is changed."),
    "disabled": gettext_noop("The account is disabled and signed out everywhere."),
    "enabled": gettext_noop("The account is enabled again."),
    "quota": gettext_noop("The quota is changed. It holds from the next upload on."),
    "password": gettext_noop("The password is changed, and the account is signed out everywhere."),
}

_USER = "/users/<int(max=9223372036854775807):user_id>"  # the largest id of the column

P = ParamSpec("P")
log = structlog.get_logger()

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
restrict_to(blueprint, Audience.ADMINISTRATORS)


@blueprint.get("")
def show() -> str:
    """Show every account."""
    return _page()


@blueprint.post("/users")
def add() -> Response:
    """Create an account for somebody, even if registration is closed."""
    form = form_fields("username", "password", "role")

    def change() -> None:
        create_account(
            services().stores.database,
            actor=current_actor(),
            name=parse_name(form["username"]),
            password_hash=services().passwords.hash(form["password"]),
            role=parse_role(form["role"]),
            registration_open=True,
        )

    return _answer("added", change)


@blueprint.post(f"{_USER}/role")
def change_role(user_id: int) -> Response:
    """Give an account another role."""
    role = parse_role(form_fields("role")["role"])
    is_own = user_id == require_viewer().id
    response = _answer(
        "role",
        user_admin.change_role,
        services().stores,
        current_actor(),
        user_id=user_id,
        role=role,
    )
    if is_own and role is not Role.ADMIN and response.status_code == 303:
        return redirect("/account", 303)  # this page is closed to them from now on
    return response


@blueprint.post(f"{_USER}/disable")
def disable(user_id: int) -> Response:
    """Disable an account."""
    return _answer(
        "disabled", user_admin.disable, services().stores, current_actor(), user_id=user_id
    )


@blueprint.post(f"{_USER}/enable")
def enable(user_id: int) -> Response:
    """Enable a disabled account."""
    return _answer(
        "enabled", user_admin.enable, services().stores.database, current_actor(), user_id=user_id
    )


@blueprint.post(f"{_USER}/quota")
def set_quota(user_id: int) -> Response:
    """Set how much an account may store; what it has stays."""
    text, database = form_fields("quota")["quota"], services().stores.database
    return _answer(
        "quota",
        lambda: user_admin.set_quota(
            database, current_actor(), user_id=user_id, quota=parse_quota(text)
        ),
    )


@blueprint.post(f"{_USER}/password")
def reset_password(user_id: int) -> Response:
    """Give another account a new password, and end all its sessions. Its role stays.

    An administrator changes their own on the account page, which asks for the current one.
    """
    password = form_fields("password")["password"]
    viewer = require_viewer()

    def change() -> None:
        if user_id == viewer.id:
            raise Conflict(gettext("Change your own password on your account page."))
        password_hash = services().passwords.hash(password)
        user_admin.reset_password(
            services().stores, current_actor(), user_id=user_id, password_hash=password_hash
        )
        log.info("password reset", user=user_id, by=viewer.id)

    return _answer("password", change)


def _answer(done: str, change: Callable[P, object], *args: P.args, **options: P.kwargs) -> Response:
    """Make a change, and show the page with what was done or with what went wrong."""
    try:
        change(*args, **options)
    except MatineeError as error:
        return rerender_with_error(error, _page)
    return redirect(f"/admin?done={done}", 303)


def _page(error: str | None = None) -> str:
    default_quota = services().settings.quota
    return render_template(
        "auth/admin.html",
        users=users_with_storage_use(services().stores.database, default_quota=default_quota),
        default_quota=default_quota,
        roles=[role.value for role in Role],
        error=error,
        notice=done_notice(_DONE),
    )
