"""The JSON API of administration.

    GET    /api/accounts?q=&after=             {"accounts": [account, ...], "total", "next"}
    POST   /api/accounts                       {"username", "password", "role"}: 201 account
    GET    /api/accounts/<user>                account
    PATCH  /api/accounts/<user>                any of {"name", "role", "quota", "state"}: account
    DELETE /api/accounts/<user>                204: the account with its videos
    POST   /api/accounts/<user>/password-link  201 {"url"}
    GET    /api/invitations                    {"invitations": [invitation, ...]}
    POST   /api/invitations                    {"label", "role", "max_uses", "days", "groups"}: 201
    DELETE /api/invitations/<id>               204
    GET    /api/settings                       {"settings": {...}, "fixed": {key: variable}, "logo"}
    PATCH  /api/settings                       any settings, as the form has them

An account is {"id", "name", "role", "state", "quota", "used", "videos", "created_at",
"last_seen_at"}; a quota is written as on the page: "20 GB", "no limit", or "" for the default.
"""

from typing import Any

from flask import Blueprint, request

from auth_service import user_admin
from auth_service.admin_routes import add_user, parse_user_fields
from auth_service.invitations import (
    DEFAULT_DAYS,
    InvitationView,
    NewInvitation,
    create_invitation,
    list_invitations,
    revoke_invitation,
)
from auth_service.password_links import create_password_link
from auth_service.quotas import format_quota
from auth_service.request_helpers import new_address, parse_role
from auth_service.site_admin import FIELDS, change_settings, form_values
from common.fixed_settings import ENVIRONMENT
from common.formatting import iso_time
from common.quota import StorageUse
from common.site_settings import logo_url
from common.web.auth import Audience, current_actor, restrict_to
from common.web.forms import json_fields
from common.web.services import stores
from db.models import Role, User

_ACCOUNT = "/api/accounts/<int(max=9223372036854775807):user_id>"

blueprint = Blueprint("account_api", __name__)
restrict_to(blueprint, Audience.ADMINISTRATORS)


@blueprint.get("/api/accounts")
def list_accounts() -> dict[str, Any]:
    """List the accounts, a page at a time."""
    page = user_admin.list_users(
        stores().database,
        default_quota=stores().site.current().quota,
        search=request.args.get("q", "")[:200],
        after=request.args.get("after", "")[:200],
    )
    accounts = [_account(user, storage) for user, storage in page.users]
    return {"accounts": accounts, "total": page.total, "next": page.next}


@blueprint.post("/api/accounts")
def create() -> tuple[dict[str, Any], int]:
    """Create an account."""
    user = add_user(json_fields("username", "password", "role"))
    return _load(user.id), 201


@blueprint.get(_ACCOUNT)
def show(user_id: int) -> dict[str, Any]:
    """Describe an account."""
    return _load(user_id)


@blueprint.patch(_ACCOUNT)
def change(user_id: int) -> dict[str, Any]:
    """Change an account."""
    texts = json_fields(optional=("name", "role", "quota", "state"))
    fields = parse_user_fields(texts)
    user_admin.change_user(stores(), current_actor(), user_id=user_id, fields=fields)
    return _load(user_id)


@blueprint.delete(_ACCOUNT)
def delete(user_id: int) -> tuple[str, int]:
    """Delete an account with its videos."""
    user_admin.delete_user(stores(), current_actor(), user_id=user_id)
    return "", 204


@blueprint.post(f"{_ACCOUNT}/password-link")
def make_password_link(user_id: int) -> tuple[dict[str, Any], int]:
    """Make a one-time link that sets the password of an account."""
    token = create_password_link(stores().database, current_actor(), user_id=user_id)
    return {"url": new_address(f"/password/{token}").url}, 201


@blueprint.get("/api/invitations")
def list_all_invitations() -> dict[str, Any]:
    """List the invitations that were not revoked."""
    return {"invitations": [_invitation(view) for view in list_invitations(stores().database)]}


@blueprint.post("/api/invitations")
def invite() -> tuple[dict[str, Any], int]:
    """Make an invitation; its address is told this once."""
    fields = json_fields(
        "role", optional=("label",), numbers=("max_uses", "days"), lists=("groups",)
    )
    wanted = NewInvitation(
        label=fields.get("label", ""),
        role=parse_role(fields["role"]),
        max_uses=fields.get("max_uses", 1),
        days=fields.get("days", DEFAULT_DAYS),
        group_ids=fields.get("groups", ()),
    )
    invitation, token = create_invitation(stores().database, current_actor(), wanted)
    return {"id": invitation.id, "url": new_address(f"/invite/{token}").url}, 201


@blueprint.delete("/api/invitations/<invitation_id>")
def revoke(invitation_id: str) -> tuple[str, int]:
    """Revoke an invitation."""
    revoke_invitation(stores().database, current_actor(), invitation_id)
    return "", 204


@blueprint.get("/api/settings")
def show_settings() -> dict[str, Any]:
    """Describe the settings of the site."""
    return _settings()


@blueprint.patch("/api/settings")
def save_settings() -> dict[str, Any]:
    """Change settings of the site."""
    change_settings(stores(), current_actor(), json_fields(optional=FIELDS))
    return _settings()


def _settings() -> dict[str, Any]:
    site = stores().site
    settings = stores().database.read(site.load)
    return {
        "settings": form_values(settings),
        "fixed": {key: ENVIRONMENT[key] for key in site.fixed},
        "logo": logo_url(settings),
    }


def _load(user_id: int) -> dict[str, Any]:
    return _account(*user_admin.get_user(stores(), user_id))


def _account(user: User, storage: StorageUse) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "role": Role(user.role).value,
        "state": "disabled" if user.disabled_at else "active",
        "quota": format_quota(user.quota),
        "used": storage.used,
        "videos": storage.video_count,
        "created_at": iso_time(user.created_at),
        "last_seen_at": iso_time(user.last_seen_at),
    }


def _invitation(view: InvitationView) -> dict[str, Any]:
    invitation = view.invitation
    return {
        "id": invitation.id,
        "label": invitation.label,
        "role": invitation.role.value,
        "max_uses": invitation.max_uses,
        "uses": invitation.uses,
        "made_by": view.made_by,
        "groups": view.groups,
        "works": view.works,
        "created_at": iso_time(invitation.created_at),
        "expires_at": iso_time(invitation.expires_at),
    }
