"""Other people's accounts: for administrators."""

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from auth_service import people
from auth_service.accounts import open_account
from auth_service.exchange import again, gate, role_of, settings
from auth_service.names import parse_name
from auth_service.quotas import parse_quota
from common.errors import MatineeError
from common.web.auth import Audience, require_viewer, restrict_to
from common.web.forms import form_fields
from common.web.services import stores
from db.models import Role

_DONE = {
    "added": "The account is created. Tell the person their name and password.",
    "role": "The role is changed.",
    "disabled": "The account is disabled and signed out everywhere.",
    "enabled": "The account is enabled again.",
    "quota": "The quota is changed. It holds from the next upload on.",
}

_PERSON = "/users/<int(max=9223372036854775807):user_id>"  # what the column holds

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
restrict_to(blueprint, Audience.ADMINISTRATORS)


@blueprint.get("")
def show() -> str:
    """Show every account."""
    return _page()


@blueprint.post("/users")
def add() -> Response:
    """Make an account for somebody, even if registration is closed."""
    form = form_fields("username", "password", "role")

    def change() -> None:
        open_account(
            stores().database,
            name=parse_name(form["username"]),
            password_hash=gate().passwords.hash(form["password"]),
            role=role_of(form["role"]),
            registration_open=True,
        )

    return _answer(change, done="added")


@blueprint.post(f"{_PERSON}/role")
def change_role(user_id: int) -> Response:
    """Give an account another role."""
    role = role_of(form_fields("role")["role"])
    own = user_id == require_viewer().id
    answer = _answer(lambda: people.change_role(stores(), user_id=user_id, role=role), done="role")
    if own and role is not Role.ADMIN and answer.status_code == 303:
        return redirect("/account", 303)  # this page is closed to them from now on
    return answer


@blueprint.post(f"{_PERSON}/disable")
def disable(user_id: int) -> Response:
    """Keep an account out."""
    return _answer(lambda: people.disable(stores(), user_id=user_id), done="disabled")


@blueprint.post(f"{_PERSON}/enable")
def enable(user_id: int) -> Response:
    """Let an account in again."""

    def change() -> None:
        stores().database.write(lambda session: people.enable(session, user_id=user_id))

    return _answer(change, done="enabled")


@blueprint.post(f"{_PERSON}/quota")
def set_quota(user_id: int) -> Response:
    """Let an account store so much; what it has stays."""
    typed = form_fields("quota")["quota"]

    def change() -> None:
        quota = parse_quota(typed)
        stores().database.write(
            lambda session: people.set_quota(session, user_id=user_id, quota=quota)
        )

    return _answer(change, done="quota")


def _answer(change: Callable[[], None], *, done: str) -> Response:
    """Make a change, and show the page with what was done or with what went wrong."""
    try:
        change()
    except MatineeError as error:
        return again(error, _page)
    return redirect(f"/admin?done={done}", 303)


def _page(error: str | None = None) -> str:
    everybody = settings().quota
    return render_template(
        "auth/admin.html",
        users=stores().database.read(
            lambda session: people.list_people(session, everybody=everybody)
        ),
        everybody=everybody,
        roles=[role.value for role in Role],
        error=error,
        notice=_DONE.get(request.args.get("done", "")),
    )
