"""The JSON API of collections, with the same rules as the pages.

GET    /api/collections             {"collections": [collection, ...]}
POST   /api/collections             {"title", "description"}: 201, the collection
GET    /api/collections/<id>        the collection with "level", "count" and
       ?start=<number>              "videos": [video, ...], a page of them
PATCH  /api/collections/<id>        {"title", "description", "cover", "items": [id, ...]}
DELETE /api/collections/<id>        204
PUT    /api/collections/<id>/items/<video>    204
DELETE /api/collections/<id>/items/<video>    204
"""

from typing import Any

from flask import Blueprint, request
from sqlalchemy.orm import Session

from common.access import Watcher
from common.collection_access import get_collection_for
from common.forecast import ForecastCache
from common.web.auth import (
    Audience,
    current_actor,
    current_watcher,
    require_viewer,
    restrict_to,
)
from common.web.forms import json_fields
from common.web.services import stores
from db.engine import transaction
from db.models import Level
from streaming_service.collections.changes import (
    CollectionEdit,
    add_item,
    create_collection,
    delete_collection,
    edit_collection,
    remove_item,
)
from streaming_service.collections.listing import (
    collection_json,
    list_collections,
    load_collection,
)
from streaming_service.services import services
from streaming_service.videos.captions import caption_tracks
from streaming_service.videos.presenters import video_json

blueprint = Blueprint("collection_api", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.get("/api/collections")
def collections() -> dict[str, Any]:
    """List the collections that the caller may open."""
    require_viewer()
    found = list_collections(stores().database, current_watcher())
    return {"collections": [card.as_json() for card in found]}


@blueprint.post("/api/collections")
def create() -> tuple[dict[str, Any], int]:
    """Make a collection."""
    viewer = require_viewer()
    fields = json_fields("title", optional=("description",))
    made = create_collection(stores().database, current_actor(), **fields)
    return collection_json(made, viewer.name, cover=None), 201


@blueprint.get("/api/collections/<video:collection_id>")
def collection(collection_id: str) -> dict[str, Any]:
    """Describe a collection and its videos."""
    here = services()
    start = max(0, request.args.get("start", 0, type=int))
    return load_json(
        here.stores.database, current_watcher(), collection_id, here.forecasts, start=start
    )


@transaction(writes=False)
def load_json(
    session: Session,
    watcher: Watcher,
    collection_id: str,
    forecasts: ForecastCache,
    *,
    start: int,
) -> dict[str, Any]:
    """Return a collection with a page of its videos.

    :raises LoginRequired, NotFound: as :func:`load_collection`.
    """
    page = load_collection(session, watcher, collection_id, forecasts, start=start)
    tracks = caption_tracks(session, [card.video for card in page.cards])
    return collection_json(page.collection, page.owner_name, cover=page.cover) | {
        "level": page.level,
        "count": page.count,
        "videos": [video_json(card, tracks[card.video.id]) for card in page.cards],
    }


@blueprint.patch("/api/collections/<video:collection_id>")
def patch(collection_id: str) -> dict[str, Any]:
    """Change a collection, and return it as it is now."""
    # Asked first: a body that is wrong must not tell a stranger that the collection exists.
    watcher = Watcher(require_viewer())
    get_collection_for(stores().database, watcher, collection_id, level=Level.EDIT)
    fields = json_fields(optional=("title", "description", "cover"), lists=("items",))
    edit_collection(stores().database, current_actor(), collection_id, CollectionEdit(**fields))
    return collection(collection_id)


@blueprint.delete("/api/collections/<video:collection_id>")
def delete(collection_id: str) -> tuple[str, int]:
    """Delete a collection of the caller's."""
    require_viewer()
    delete_collection(stores(), current_actor(), collection_id)
    return "", 204


@blueprint.put("/api/collections/<video:collection_id>/items/<video:video_id>")
def put_item(collection_id: str, video_id: str) -> tuple[str, int]:
    """Add a video."""
    require_viewer()
    add_item(stores(), current_actor(), collection_id, video_id)
    return "", 204


@blueprint.delete("/api/collections/<video:collection_id>/items/<video:video_id>")
def delete_item(collection_id: str, video_id: str) -> tuple[str, int]:
    """Remove a video."""
    require_viewer()
    remove_item(stores(), current_actor(), collection_id, video_id)
    return "", 204
