"""Videos for scripts: the rules of the pages, as JSON.

    GET    /api/videos             {"videos": [video, ...], "next": cursor or null}
           ?q=  ?sort=newest|oldest|title  ?whose=all|mine  ?after=<cursor>
    GET    /api/videos/<video>     a video, as `streaming_service.cards.json_of` describes it, and
                                   for its owner "sha256" of the file, or null until it is known
    PATCH  /api/videos/<video>     {"title", "description", "visibility"}, any of them: the video
    DELETE /api/videos/<video>     204

An error is {"error": sentence} with 401 (signed out), 404 (not there, or not yours), 405, 422.
"""

from typing import Any

from flask import Blueprint, request

from common.callers import Callers, admit, current_viewer, require_viewer
from common.errors import NotThere, Unprocessable
from common.forms import json_fields
from common.stores import stores
from streaming_service import changes
from streaming_service.cards import json_of, receipt_of
from streaming_service.cursors import BadCursor, Cursor, Sort
from streaming_service.library import Whose, get_video_for, list_videos
from streaming_service.routes import QUERY_LIMIT
from streaming_service.wording import clean_line

# One route answers those who are signed out, if the video is public; the others ask who is calling.
blueprint = Blueprint("videos_api", __name__)
admit(blueprint, Callers.ANYBODY)


class BadQuery(Unprocessable):
    """A parameter of the address is not one we know; a script is told, where a page would guess."""


@blueprint.get("/api/videos")
def videos() -> dict[str, Any]:
    """List what the caller may find, a page at a time."""
    viewer = require_viewer()
    search = clean_line(request.args.get("q", ""))
    if len(search) > QUERY_LIMIT:
        raise BadQuery(f"A search has {QUERY_LIMIT} characters at most.")
    try:
        sort = Sort(request.args.get("sort", Sort.NEWEST))
        whose = Whose(request.args.get("whose", Whose.ALL))
        after = Cursor.read(request.args["after"], sort) if "after" in request.args else None
    except BadCursor as error:
        raise BadQuery("“after” is not a cursor of this list.") from error
    except ValueError as error:
        raise BadQuery("“sort” is newest, oldest or title, and “whose” is all or mine.") from error
    found = stores().database.read(
        lambda session: list_videos(
            session, viewer, search=search, sort=sort, whose=whose, after=after
        )
    )
    return {
        "videos": [json_of(video) for video in found.videos],
        "next": str(found.next) if found.next else None,
    }


@blueprint.get("/api/videos/<video:video_id>")
def video(video_id: str) -> dict[str, Any]:
    """Describe one video."""
    viewer = current_viewer()
    try:
        found = stores().database.read(lambda session: get_video_for(session, viewer, video_id))
    except NotThere:
        require_viewer()
        raise
    return json_of(found) | receipt_of(found, viewer)


@blueprint.patch("/api/videos/<video:video_id>")
def patch(video_id: str) -> dict[str, Any]:
    """Change a video of the caller's, and return it as it is now."""
    viewer = require_viewer()
    changes.find_to_edit(viewer, video_id)
    fields = json_fields(optional=("title", "description", "visibility"))
    changed = changes.edit(viewer, video_id, fields)
    return json_of(changed) | receipt_of(changed, viewer)


@blueprint.delete("/api/videos/<video:video_id>")
def delete(video_id: str) -> tuple[str, int]:
    """Delete a video of the caller's, or one that an administrator takes down."""
    changes.remove(require_viewer(), video_id)
    return "", 204
