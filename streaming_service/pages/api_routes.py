"""The JSON API of videos, with the same rules as the pages.

    GET    /api/videos             {"videos": [video, ...], "next": cursor or null}
           with the parameters of `streaming_service.pages.list_query`
    GET    /api/videos/<video>     a video, as `video_json` of `presenters` describes it
    GET    /api/videos/<video>/captions  {"captions": [{"language", "label", "url"}, ...]}
    PATCH  /api/videos/<video>     {"title", "description", "visibility", "downloadable", "tags"},
                                   any of them: the video
    DELETE /api/videos/<video>     204: it is in its owner's bin
           ?permanently=1          204: it is deleted for good, which only its owner may do

An error is {"error": sentence} with 401 (signed out), 404 (not there, or not yours), 405, 422.
"""

from typing import Any

from flask import Blueprint, request
from sqlalchemy.orm import Session

from common.access import Viewer, Watcher
from common.forecast import ForecastCache
from common.web.auth import Audience, current_actor, current_watcher, require_viewer, restrict_to
from common.web.forms import json_fields
from common.web.services import stores
from db.engine import transaction
from streaming_service.pages.list_query import read_list_query
from streaming_service.services import services
from streaming_service.videos.bin import delete_permanently
from streaming_service.videos.captions import caption_tracks
from streaming_service.videos.changes import VideoEdit, bin_video, edit_video
from streaming_service.videos.library import (
    ListQuery,
    get_video_for,
    get_video_to_edit,
    list_videos,
)
from streaming_service.videos.presenters import load_json

# A public video is described to those who are signed out; the other routes ask who is calling.
blueprint = Blueprint("api", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.get("/api/videos")
def videos() -> dict[str, Any]:
    """List what the caller may see, a page at a time."""
    viewer, query = require_viewer(), read_list_query(strict=True)
    here = services()
    return load_list(here.stores.database, viewer, query, here.forecasts)


@transaction(writes=False)
def load_list(
    session: Session, viewer: Viewer, query: ListQuery, forecasts: ForecastCache
) -> dict[str, Any]:
    """Return a page of videos, and the cursor of the next page."""
    page = list_videos(session, viewer, query)
    return {
        "videos": load_json(session, Watcher(viewer), page.videos, forecasts),
        "next": str(page.next) if page.next else None,
    }


@blueprint.get("/api/videos/<video:video_id>")
def video(video_id: str) -> dict[str, Any]:
    """Describe one video."""
    here = services()
    return load_video(here.stores.database, current_watcher(), video_id, here.forecasts)


@transaction(writes=False)
def load_video(
    session: Session, watcher: Watcher, video_id: str, forecasts: ForecastCache
) -> dict[str, Any]:
    """Return a video that somebody may watch.

    :raises LoginRequired, NotFound: as :func:`get_video_for`.
    """
    video = get_video_for(session, watcher, video_id)
    return load_json(session, watcher, [video], forecasts)[0]


@blueprint.get("/api/videos/<video:video_id>/captions")
def captions(video_id: str) -> dict[str, Any]:
    """List the caption tracks of a video."""
    database = stores().database
    video = get_video_for(database, current_watcher(), video_id)
    return {"captions": [track.as_json() for track in caption_tracks(database, [video])[video_id]]}


@blueprint.patch("/api/videos/<video:video_id>")
def patch(video_id: str) -> dict[str, Any]:
    """Change a video of the caller's, and return it as it is now."""
    viewer = require_viewer()
    # Asked first: a body that is wrong must not tell a stranger that the video exists.
    get_video_to_edit(stores().database, viewer, video_id)
    fields = json_fields(
        optional=("title", "description", "visibility"), flags=("downloadable",), lists=("tags",)
    )
    edit_video(stores(), current_actor(), video_id, VideoEdit(**fields))
    return video(video_id)


@blueprint.delete("/api/videos/<video:video_id>")
def delete(video_id: str) -> tuple[str, int]:
    """Put a video into its owner's bin, or delete one of the caller's own for good."""
    if request.args.get("permanently") == "1":
        delete_permanently(stores(), current_actor(), video_id)
    else:
        bin_video(stores(), current_actor(), video_id)
    return "", 204
