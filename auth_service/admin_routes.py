"""Administration: its home page, and people.

GET  /admin                                 what needs attention
GET  /admin/users?q=&after=                 people, a page at a time
POST /admin/users                           makes an account: username, password, role
GET  /admin/users/<user>                    the form of one account
POST /admin/users/<user>                    changes what it names: name, role, quota, state
POST /admin/users/<user>/password           sets a password
POST /admin/users/<user>/password-link      makes a one-time link, and shows it
POST /admin/users/<user>/delete             confirm: the name again
"""

from collections.abc import Mapping
from functools import partial

import structlog
from flask import Blueprint, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from auth_service import user_admin
from auth_service.accounts import NameTaken, create_account
from auth_service.new_passwords import hash_new_password
from auth_service.overview import load_overview
from auth_service.password_links import create_password_link
from auth_service.quotas import InvalidQuota, parse_quota
from auth_service.request_helpers import new_address, parse_role, rerender_with_error
from auth_service.services import services
from auth_service.tokens import NewAddress
from auth_service.user_admin import UserFields
from auth_service.usernames import InvalidUsername, parse_name
from common.errors import Conflict, MatineeError, Unprocessable
from common.translation import gettext, gettext_noop
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.error_handlers import wants_json
from common.web.forms import form_fields
from common.web.notices import notice_of
from common.web.services import stores
from db.models import Role, User

_DONE = {
    "added": gettext_noop("The account is created. Tell the person their name and password."),
    "saved": gettext_noop("Your changes are saved."),
    "deleted": gettext_noop("The account is deleted."),
    "password": gettext_noop("The password is changed, and the account is signed out everywhere."),
}
_STATES = ("active", "disabled")
_FIELDS = ("name", "role", "quota", "state")

USER_PATH = "/admin/users/<int(max=9223372036854775807):user_id>"
"""The address of an account, whose id is at most the largest of the column."""

log = structlog.get_logger()

blueprint = Blueprint("admin", __name__)
restrict_to(blueprint, Audience.ADMINISTRATORS)


@blueprint.get("/admin")
def show() -> str:
    """Show what needs attention, storage, the queue and versions."""
    overview = load_overview(stores().database, default_store=services().settings.default_store)
    paused = stores().site.current().move_paused
    return render_template("auth/admin.html", overview=overview, move_paused=paused)


@blueprint.get("/admin/users")
def list_users() -> str:
    """Show a page of the accounts."""
    return _list_page()


@blueprint.post("/admin/users")
def add() -> Response:
    """Create an account for somebody, even if registration is closed."""
    form = form_fields("username", "password", "role")
    try:
        add_user(form)
    except MatineeError as error:
        return rerender_with_error(error, _list_page)
    return redirect("/admin/users?done=added", 303)


@blueprint.get(USER_PATH)
def show_user(user_id: int) -> str:
    """Show the form of an account."""
    return _user_page(user_id)


@blueprint.post(USER_PATH)
def change_user(user_id: int) -> Response:
    """Change what the form names; a script is told the values as they are now."""
    form = form_fields(optional=_FIELDS)
    given = {name: text for name, text in form.items() if name in request.form}

    try:
        fields = parse_user_fields(given)
        user_admin.change_user(stores(), current_actor(), user_id=user_id, fields=fields)
    except (InvalidUsername, NameTaken) as error:
        return _refused(user_id, error, errors_in="name")
    except InvalidQuota as error:
        return _refused(user_id, error, errors_in="quota")
    except MatineeError as error:
        return _refused(user_id, error, errors_in="edit")
    response = jsonify(saved=True) if wants_json() else _done(user_id, "saved")
    is_own = user_id == require_viewer().id
    if is_own and response.status_code == 303 and given.get("role", Role.ADMIN) != Role.ADMIN:
        return redirect("/account", 303)  # this page is closed to them from now on
    return response


@blueprint.post(f"{USER_PATH}/password")
def reset_password(user_id: int) -> Response:
    """Give another account a new password, and end all its sessions. Its role stays.

    An administrator changes their own on the account page, which asks for the current one.
    """
    password = form_fields("password")["password"]
    viewer = require_viewer()

    try:
        if user_id == viewer.id:
            raise Conflict(gettext("Change your own password on your account page."))
        user, _storage = user_admin.get_user(stores(), user_id)
        password_hash = hash_new_password(services().passwords, password, username=user.name)
        user_admin.reset_password(
            stores(), current_actor(), user_id=user_id, password_hash=password_hash
        )
    except MatineeError as error:
        return _refused(user_id, error, errors_in="password")
    log.info("password reset", user=user_id, by=viewer.id)
    return _done(user_id, "password")


@blueprint.post(f"{USER_PATH}/password-link")
def make_password_link(user_id: int) -> Response:
    """Make a one-time link with which the person sets a password, and show it, this once."""
    try:
        token = create_password_link(stores().database, current_actor(), user_id=user_id)
    except MatineeError as error:
        return _refused(user_id, error, errors_in="link")
    return make_response(_user_page(user_id, new=new_address(f"/password/{token}")), 201)


@blueprint.post(f"{USER_PATH}/delete")
def delete(user_id: int) -> Response:
    """Delete an account with its videos."""
    confirmation = form_fields("confirm")["confirm"]
    try:
        user_admin.delete_user(
            stores(), current_actor(), user_id=user_id, confirmation=confirmation
        )
    except MatineeError as error:
        return _refused(user_id, error, errors_in="delete")
    return redirect("/admin/users?done=deleted", 303)


def add_user(fields: Mapping[str, str]) -> User:
    """Create the account that a form or the API names: its username, password and role.

    :raises MatineeError: one is wrong, or the name is taken.
    """
    name, role = parse_name(fields["username"]), parse_role(fields["role"])
    return create_account(
        stores().database,
        services().passwords,
        actor=current_actor(),
        name=name,
        password=fields["password"],
        join=lambda _session: role,
    )


def parse_user_fields(texts: dict[str, str]) -> UserFields:
    """Return the changes of an account that a form or the API names.

    :raises Unprocessable: one is wrong.
    """
    fields: UserFields = {}
    if "name" in texts:
        fields["name"] = parse_name(texts["name"])
    if "role" in texts:
        fields["role"] = parse_role(texts["role"])
    if "quota" in texts:
        fields["quota"] = parse_quota(texts["quota"])
    if "state" in texts:
        if texts["state"] not in _STATES:
            raise Unprocessable(gettext("An account is active or disabled."))
        fields["disabled"] = texts["state"] == "disabled"
    if not fields:
        raise Unprocessable(gettext("Nothing that can be changed was sent."))
    return fields


def _done(user_id: int, done: str) -> Response:
    return redirect(f"/admin/users/{user_id}?done={done}", 303)


def _refused(user_id: int, error: MatineeError, *, errors_in: str) -> Response:
    return rerender_with_error(error, partial(_user_page, user_id), errors_in=errors_in)


def _user_page(
    user_id: int,
    *,
    error: str | None = None,
    errors_in: str | None = None,
    new: NewAddress | None = None,
) -> str:
    user, storage = user_admin.get_user(stores(), user_id)
    return render_template(
        "auth/user.html",
        user=user,
        storage=storage,
        default_quota=stores().site.current().quota,
        error=error,
        errors_in=errors_in,
        new=new,
        notice=notice_of(_DONE),
    )


def _list_page(error: str | None = None) -> str:
    search, after = request.args.get("q", "")[:200], request.args.get("after", "")[:200]
    return render_template(
        "auth/users.html",
        page=user_admin.list_users(
            stores().database,
            default_quota=stores().site.current().quota,
            search=search,
            after=after,
        ),
        search=search,
        is_first=not after,
        roles=[role.value for role in Role],
        error=error,
        notice=notice_of(_DONE),
    )
