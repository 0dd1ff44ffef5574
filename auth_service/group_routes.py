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
from functools import partial

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from auth_service import groups
from auth_service.request_helpers import parse_group_role, rerender_with_error
from common.errors import MatineeError
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
        group_id = groups.create_group(
            stores(), current_actor(), form["name"], for_everyone=form["for_everyone"] != ""
        )
    except MatineeError as error:
        return rerender_with_error(error, _list)
    return redirect(f"/groups/{group_id}?done=created", 303)


@blueprint.get(_GROUP)
def show(group_id: str) -> str:
    """Show a group and its members."""
    return _page(group_id)


@blueprint.post(f"{_GROUP}/rename")
def rename(group_id: str) -> Response:
    """Give the group another name."""
    name = form_fields("name")["name"]
    change = partial(groups.rename_group, stores().database, current_actor(), group_id, name)
    return _answer(group_id, "renamed", change, errors_in="rename")


@blueprint.post(f"{_GROUP}/delete")
def delete(group_id: str) -> Response:
    """Delete the group."""
    groups.delete_group(stores(), current_actor(), group_id)
    return redirect("/groups?done=deleted", 303)


@blueprint.post(f"{_GROUP}/leave")
def leave(group_id: str) -> Response:
    """Leave the group."""
    own = require_viewer().id
    change = partial(groups.remove_member, stores(), current_actor(), group_id, own)
    answer = _answer(group_id, "left", change)
    return redirect("/groups?done=left", 303) if answer.status_code == 303 else answer


@blueprint.post(f"{_GROUP}/members")
def add_member(group_id: str) -> Response:
    """Add somebody to the group."""
    name = form_fields("name")["name"]
    change = partial(groups.set_member, stores(), current_actor(), group_id, name)
    return _answer(group_id, "added", change, errors_in="add")


@blueprint.post(f"{_MEMBER}/role")
def change_role(group_id: str, user_id: int) -> Response:
    """Make a member a manager, or a manager a member."""
    word = form_fields("role")["role"]

    def change() -> None:
        role = parse_group_role(word)
        groups.change_member_role(stores().database, current_actor(), group_id, user_id, role)

    return _answer(group_id, "role", change)


@blueprint.post(f"{_MEMBER}/remove")
def remove_member(group_id: str, user_id: int) -> Response:
    """Take somebody out of the group."""
    change = partial(groups.remove_member, stores(), current_actor(), group_id, user_id)
    return _answer(group_id, "removed", change)


def _answer(
    group_id: str, done: str, change: Callable[[], None], *, errors_in: str = ""
) -> Response:
    """Make a change, and show the group with what was done or with what went wrong."""
    try:
        change()
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
    view, members = groups.get_group_and_members(stores().database, require_viewer(), group_id)
    return render_template(
        "auth/group.html",
        view=view,
        members=members,
        error=error,
        errors_in=errors_in,
        notice=notice_of(_DONE),
    )
