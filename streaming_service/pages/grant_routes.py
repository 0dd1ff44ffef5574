"""The JSON API of grants, and who can watch a video.

    GET    /api/videos/<video>/access        {"visibility", "people": [entry, ...]}
    POST   /api/videos/<video>/grants        {"user": name}, {"group": id} or {"anyone": name of
                                             either}; "level", "expires_at"
    POST   /api/collections/<collection>/grants   the same
    PATCH  /api/grants/<grant>               {"level", "expires_at"}, any of them: the grant
    DELETE /api/grants/<grant>               204
    GET    /api/users  ?q=                   {"suggestions": [...]}: who can be named

Those who may not share the video or collection get 404.
"""

from typing import Any

from flask import Blueprint, request

from common.directory import suggest
from common.errors import Unprocessable
from common.translation import gettext
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.forms import json_fields
from common.web.services import stores
from streaming_service.services import services
from streaming_service.sharing.access_list import load_access_list
from streaming_service.sharing.fields import parse_expiry, parse_level
from streaming_service.sharing.grants import NewGrant, change_grant, create_grant, remove_grant
from streaming_service.sharing.objects import SharedObject, get_object_to_share
from streaming_service.videos.library import get_video_to_share

blueprint = Blueprint("grants", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)


@blueprint.get("/api/videos/<video:video_id>/access")
def access(video_id: str) -> dict[str, Any]:
    """List everyone who can watch a video, and why."""
    database = stores().database
    video = get_video_to_share(database, require_viewer(), video_id)
    return load_access_list(database, video).as_json()


@blueprint.post("/api/videos/<video:video_id>/grants", endpoint="share_video")
@blueprint.post("/api/collections/<collection_id>/grants", endpoint="share_collection")
def share(**ids: str) -> tuple[dict[str, Any], int]:
    """Share a video or collection with a person or a group."""
    what = SharedObject(**ids)
    # Asked first: a body that is wrong must not tell a stranger that there is something.
    get_object_to_share(stores().database, require_viewer(), what)
    fields = json_fields("level", optional=("user", "group", "anyone"), nullable=("expires_at",))
    if len(fields.keys() & {"user", "group", "anyone"}) != 1:
        raise Unprocessable(gettext("Name a “user”, a “group”, or “anyone” by the name of either."))
    new = NewGrant(
        level=parse_level(fields["level"]),
        user=fields.get("user"),
        group=fields.get("group"),
        anyone=fields.get("anyone"),
        expires_at=parse_expiry(fields.get("expires_at")),
    )
    return create_grant(stores(), current_actor(), what, new).as_json(), 201


@blueprint.patch("/api/grants/<grant_id>")
def change(grant_id: str) -> dict[str, Any]:
    """Change the level or the expiry of a grant."""
    fields = json_fields(optional=("level",), nullable=("expires_at",))
    changes: dict[str, Any] = {}
    if "level" in fields:
        changes["level"] = parse_level(fields["level"])
    if "expires_at" in fields:
        changes["expires_at"] = parse_expiry(fields["expires_at"])
    return change_grant(stores(), current_actor(), grant_id, changes).as_json()


@blueprint.delete("/api/grants/<grant_id>")
def remove(grant_id: str) -> tuple[str, int]:
    """Remove a grant."""
    remove_grant(stores(), current_actor(), grant_id)
    return "", 204


@blueprint.get("/api/users")
def users() -> dict[str, Any]:
    """Suggest people and groups whose names start with a text."""
    viewer = require_viewer()
    if not services().settings.user_directory:
        return {"suggestions": []}
    found = suggest(stores().database, viewer, request.args.get("q", ""))
    return {"suggestions": [one.as_json() for one in found]}
