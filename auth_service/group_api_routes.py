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

from auth_service import groups
from auth_service.groups import GroupView
from auth_service.request_helpers import parse_group_role
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.forms import json_fields
from common.web.services import stores

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
    group_id = groups.create_group(
        stores(),
        current_actor(),
        fields["name"],
        for_everyone=fields.get("for_everyone", False),
    )
    return _load(group_id), 201


@blueprint.get("/api/groups/<group_id>")
def show(group_id: str) -> dict[str, Any]:
    """Describe one group, with its members if the caller is one."""
    return _load(group_id)


@blueprint.patch("/api/groups/<group_id>")
def rename(group_id: str) -> dict[str, Any]:
    """Give a group another name."""
    name = json_fields("name")["name"]
    groups.rename_group(stores().database, current_actor(), group_id, name)
    return _load(group_id)


@blueprint.delete("/api/groups/<group_id>")
def delete(group_id: str) -> tuple[str, int]:
    """Delete a group."""
    groups.delete_group(stores(), current_actor(), group_id)
    return "", 204


@blueprint.put("/api/groups/<group_id>/members/<name>")
def put_member(group_id: str, name: str) -> tuple[str, int]:
    """Add somebody to a group, or change their role in it."""
    # A request without a body adds a member.
    fields = json_fields(optional=("role",)) if request.content_length else {}
    role = parse_group_role(fields["role"]) if "role" in fields else None
    groups.set_member(stores(), current_actor(), group_id, name, role)
    return "", 204


@blueprint.delete("/api/groups/<group_id>/members/<name>")
def delete_member(group_id: str, name: str) -> tuple[str, int]:
    """Take somebody out of a group."""
    user_id = groups.find_member(stores().database, name)
    groups.remove_member(stores(), current_actor(), group_id, user_id)
    return "", 204


def _load(group_id: str) -> dict[str, Any]:
    view, members = groups.get_group_and_members(stores().database, require_viewer(), group_id)
    if members is None:
        return _as_json(view)
    named = [{"name": member.user.name, "role": member.role} for member in members]
    return _as_json(view) | {"members": named}


def _as_json(view: GroupView) -> dict[str, Any]:
    return {
        "id": view.group.id,
        "name": view.group.name,
        "for_everyone": view.group.for_everyone,
        "role": view.role,
        "member_count": view.member_count,
    }
