"""The JSON API of share links, with the same rules as the pages.

    POST   /api/videos/<video>/links            201 a link with its `url`, which is told this once
    POST   /api/collections/<collection>/links  the same
    GET    /api/links                           {"links": [link, ...]}: those that the caller made
    PATCH  /api/links/<link>                    the link
    DELETE /api/links/<link>                    204

A body has any of `label`, `level`, `expires_at`, `password`, `max_views` and `show_title`. The link
is as `link_json` of `streaming_service.sharing.link_views` describes it.
"""

from typing import Any

from flask import Blueprint

from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.forms import json_fields
from common.web.services import stores
from streaming_service.pages.link_routes import link_maker, link_url
from streaming_service.sharing.fields import parse_expiry, parse_level
from streaming_service.sharing.link_rules import LinkFields
from streaming_service.sharing.link_views import link_json
from streaming_service.sharing.links import (
    change_link,
    create_link,
    get_link,
    list_own_links,
    revoke_link,
)
from streaming_service.sharing.objects import SharedObject, get_object_to_share

blueprint = Blueprint("link_api", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)


@blueprint.post("/api/videos/<video:video_id>/links", endpoint="add_to_video")
@blueprint.post("/api/collections/<video:collection_id>/links", endpoint="add_to_collection")
def add(**ids: str) -> tuple[dict[str, Any], int]:
    """Make a link to a video or collection."""
    what = SharedObject(**ids)
    get_object_to_share(stores().database, require_viewer(), what)
    link, token = create_link(link_maker(), current_actor(), what, _fields())
    return link_json(link) | {"url": link_url(token)}, 201


@blueprint.get("/api/links")
def mine() -> dict[str, Any]:
    """List the links that the caller has made and that have not expired, the newest first."""
    links = list_own_links(stores().database, require_viewer())
    return {"links": [link_json(link) for link in links]}


@blueprint.patch("/api/links/<video:link_id>")
def change(link_id: str) -> dict[str, Any]:
    """Change a link of a video or collection that the caller may share."""
    # Asked first: a body that is wrong must not tell a stranger that the link exists.
    get_link(stores().database, require_viewer(), link_id)
    return link_json(change_link(link_maker(), current_actor(), link_id, _fields()))


@blueprint.delete("/api/links/<video:link_id>")
def revoke(link_id: str) -> tuple[str, int]:
    """Revoke a link."""
    revoke_link(stores(), current_actor(), link_id)
    return "", 204


def _fields() -> LinkFields:
    fields: LinkFields = json_fields(  # type: ignore[assignment]
        optional=("label", "level"),
        nullable=("expires_at", "password"),
        numbers=("max_views",),
        flags=("show_title",),
    )
    if "level" in fields:
        fields["level"] = parse_level(fields["level"])
    if "expires_at" in fields:
        fields["expires_at"] = parse_expiry(fields["expires_at"])  # type: ignore[arg-type]
    return fields
