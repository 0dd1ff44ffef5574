"""The JSON API of groups.

    GET    /api/groups                          {"groups": [group, ...]}
    POST   /api/groups                          {"name", "for_everyone"}: 201 group
    PATCH  /api/groups/<group>                  {"name"}: the group
    DELETE /api/groups/<group>                  204
    PUT    /api/groups/<group>/members/<name>   {"role": "member" or "manager"}, or nothing: 204
    DELETE /api/groups/<group>/members/<name>   204; everyone may remove themselves

A group is {"id", "name", "for_everyone", "role", "member_count", "members": [{"name", "role"}]}.
"""

from typing import Any

from flask import Blueprint, request
from sqlalchemy.orm import Session

from auth_service import groups
from auth_service.groups import GroupView, change_groups
from auth_service.request_helpers import parse_group_role
from common.access import Viewer
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.forms import json_fields
from common.web.services import stores
from db.engine import transaction

blueprint = Blueprint("group_api", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)


@blueprint.get("/api/groups")
def list_all() -> dict[str, Any]:
    """List the caller's groups, and those for everyone."""
    found = groups.list_groups(stores().database, require_viewer())
    return {"groups": [_as_json(view) for view in found]}


@blueprint.post("/api/groups")
def create() -> tuple[dict[str, Any], int]:
    """Make a group, whose manager is the caller."""
    fields = json_fields("name", flags=("for_everyone",))
    view = change_groups(
        stores(),
        lambda held: groups.create_group(
            stores().database,
            current_actor(),
            fields["name"],
            for_everyone=fields.get("for_everyone", False),
            held=held,
        ),
    )
    return load_group(stores().database, require_viewer(), view.group.id), 201


@blueprint.get("/api/groups/<group_id>")
def show(group_id: str) -> dict[str, Any]:
    """Describe one group, with its members if the caller is one."""
    return load_group(stores().database, require_viewer(), group_id)


@transaction(writes=False)
def load_group(session: Session, viewer: Viewer, group_id: str) -> dict[str, Any]:
    """Return a group for scripts; its members are for members and those who manage it.

    :raises NotFound: there is none, or it is not theirs to see.
    """
    view = groups.get_group(session, viewer, group_id)
    if view.role is None and not view.may_manage:
        return _as_json(view)
    members = groups.members_of(session, group_id)
    named = [{"name": member.user.name, "role": member.role} for member in members]
    return _as_json(view) | {"members": named}


@blueprint.patch("/api/groups/<group_id>")
def rename(group_id: str) -> dict[str, Any]:
    """Give a group another name."""
    name = json_fields("name")["name"]
    view = groups.rename_group(stores().database, current_actor(), group_id, name)
    return load_group(stores().database, require_viewer(), view.group.id)


@blueprint.delete("/api/groups/<group_id>")
def delete(group_id: str) -> tuple[str, int]:
    """Delete a group."""
    change_groups(
        stores(),
        lambda held: groups.delete_group(stores().database, current_actor(), group_id, held=held),
    )
    return "", 204


@blueprint.put("/api/groups/<group_id>/members/<name>")
def put_member(group_id: str, name: str) -> tuple[str, int]:
    """Add somebody to a group, or change their role in it."""
    # A request without a body adds a member.
    fields = json_fields(optional=("role",)) if request.content_length else {}
    role = parse_group_role(fields["role"]) if "role" in fields else None
    change_groups(
        stores(),
        lambda held: groups.set_member(
            stores().database, current_actor(), group_id, name, role, held=held
        ),
    )
    return "", 204


@blueprint.delete("/api/groups/<group_id>/members/<name>")
def delete_member(group_id: str, name: str) -> tuple[str, int]:
    """Take somebody out of a group."""
    user_id = groups.find_member(stores().database, name)
    change_groups(
        stores(),
        lambda held: groups.remove_member(
            stores().database, current_actor(), group_id, user_id, held=held
        ),
    )
    return "", 204


def _as_json(view: GroupView) -> dict[str, Any]:
    return {
        "id": view.group.id,
        "name": view.group.name,
        "for_everyone": view.group.for_everyone,
        "role": view.role,
        "member_count": view.member_count,
    }
