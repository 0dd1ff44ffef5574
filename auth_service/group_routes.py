"""The pages of groups.

GET   /groups                                  POST: name, for_everyone
GET   /groups/<group>
POST  /groups/<group>/rename                   name
POST  /groups/<group>/delete
POST  /groups/<group>/leave
POST  /groups/<group>/members                  name
POST  /groups/<group>/members/<user>/role      role
POST  /groups/<group>/members/<user>/remove
"""

from collections.abc import Callable

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from auth_service import groups
from auth_service.groups import HeldBack, change_groups
from auth_service.request_helpers import parse_group_role, rerender_with_error
from common.errors import MatineeError, NotFound
from common.translation import gettext_noop
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.forms import form_fields
from common.web.notices import notice_of
from common.web.services import stores

_DONE = {
    "created": gettext_noop("The group is created. Add its members."),
    "deleted": gettext_noop(
        "The group is deleted. Nothing is shared with its members through it any more."
    ),
    "left": gettext_noop("You have left the group."),
    "renamed": gettext_noop("The group is renamed."),
    "added": gettext_noop("They are in the group."),
    "role": gettext_noop("The role is changed."),
    "removed": gettext_noop("They are not in the group any more."),
}
_GROUP = "/groups/<group_id>"
_MEMBER = f"{_GROUP}/members/<int(max=9223372036854775807):user_id>"

blueprint = Blueprint("groups", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)


@blueprint.get("/groups")
def list_all() -> str:
    """Show the viewer's groups, and those for everyone."""
    return _list()


@blueprint.post("/groups")
def create() -> Response:
    """Make a group."""
    form = form_fields("name", optional=("for_everyone",))
    try:
        view = change_groups(
            stores(),
            lambda held: groups.create_group(
                stores().database,
                current_actor(),
                form["name"],
                for_everyone=form["for_everyone"] != "",
                held=held,
            ),
        )
    except MatineeError as error:
        return rerender_with_error(error, _list)
    return redirect(f"/groups/{view.group.id}?done=created", 303)


@blueprint.get(_GROUP)
def show(group_id: str) -> str:
    """Show a group and its members."""
    return _page(group_id)


@blueprint.post(f"{_GROUP}/rename")
def rename(group_id: str) -> Response:
    """Give the group another name."""
    name = form_fields("name")["name"]

    def change(_held: HeldBack) -> None:
        groups.rename_group(stores().database, current_actor(), group_id, name)

    return _answer(group_id, "renamed", change, errors_in="rename")


@blueprint.post(f"{_GROUP}/delete")
def delete(group_id: str) -> Response:
    """Delete the group."""
    change_groups(
        stores(),
        lambda held: groups.delete_group(stores().database, current_actor(), group_id, held=held),
    )
    return redirect("/groups?done=deleted", 303)


@blueprint.post(f"{_GROUP}/leave")
def leave(group_id: str) -> Response:
    """Leave the group."""
    groups.get_group(stores().database, require_viewer(), group_id)

    def change(held: HeldBack) -> None:
        own = require_viewer().id
        groups.remove_member(stores().database, current_actor(), group_id, own, held=held)

    answer = _answer(group_id, "left", change)
    return redirect("/groups?done=left", 303) if answer.status_code == 303 else answer


@blueprint.post(f"{_GROUP}/members")
def add_member(group_id: str) -> Response:
    """Add somebody to the group."""
    name = form_fields("name")["name"]

    def change(held: HeldBack) -> None:
        groups.set_member(stores().database, current_actor(), group_id, name, held=held)

    return _answer(group_id, "added", change, errors_in="add")


@blueprint.post(f"{_MEMBER}/role")
def change_role(group_id: str, user_id: int) -> Response:
    """Make a member a manager, or a manager a member."""
    word = form_fields("role")["role"]

    def change(_held: HeldBack) -> None:
        role = parse_group_role(word)
        groups.change_member_role(stores().database, current_actor(), group_id, user_id, role)

    return _answer(group_id, "role", change)


@blueprint.post(f"{_MEMBER}/remove")
def remove_member(group_id: str, user_id: int) -> Response:
    """Take somebody out of the group."""

    def change(held: HeldBack) -> None:
        groups.remove_member(stores().database, current_actor(), group_id, user_id, held=held)

    return _answer(group_id, "removed", change)


def _answer(
    group_id: str, done: str, change: Callable[[HeldBack], None], *, errors_in: str = ""
) -> Response:
    """Make a change, and show the group with what was done or with what went wrong."""
    try:
        change_groups(stores(), change)
    except NotFound:
        raise
    except MatineeError as error:
        return rerender_with_error(error, _page, group_id=group_id, errors_in=errors_in)
    return redirect(f"/groups/{group_id}?done={done}", 303)


def _list(error: str | None = None) -> str:
    return render_template(
        "auth/groups.html",
        groups=groups.list_groups(stores().database, require_viewer()),
        error=error,
        notice=notice_of(_DONE),
    )


def _page(group_id: str, error: str | None = None, errors_in: str = "") -> str:
    database = stores().database
    view = groups.get_group(database, require_viewer(), group_id)
    may_see = view.role is not None or view.may_manage
    return render_template(
        "auth/group.html",
        view=view,
        members=groups.members_of(database, group_id) if may_see else [],
        error=error,
        errors_in=errors_in,
        notice=notice_of(_DONE),
    )
