"""Videos for scripts: the rules of the pages, as JSON.

    GET    /api/videos             {"videos": [video, ...], "next": cursor or null}
           ?q=  ?sort=newest|oldest|title  ?whose=all|mine  ?after=<cursor>
    GET    /api/videos/<video>     a video, as `streaming_service.cards.json_of` describes it
    GET    /api/videos/<video>/captions  {"captions": [{"language", "label", "url"}, ...]}
    PATCH  /api/videos/<video>     {"title", "description", "visibility", "downloadable"}, any of
                                   them: the video
    DELETE /api/videos/<video>     204

An error is {"error": sentence} with 401 (signed out), 404 (not there, or not yours), 405, 422.
"""

from typing import Any

from flask import Blueprint, request
from sqlalchemy.orm import Session

from common.errors import Unprocessable
from common.web.auth import Audience, current_viewer, require_viewer, restrict_to
from common.web.forms import json_fields
from common.web.services import stores
from db.models import Video
from streaming_service import changes
from streaming_service.captions import tracks_of
from streaming_service.cards import json_of_all
from streaming_service.cursors import BadCursor, Cursor, Sort
from streaming_service.library import Whose, list_videos
from streaming_service.routes import QUERY_LIMIT
from streaming_service.visits import visit
from streaming_service.wording import clean_line

# One route answers those who are signed out, if the video is public; the others ask who is calling.
blueprint = Blueprint("videos_api", __name__)
restrict_to(blueprint, Audience.ANYBODY)


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

    def work(session: Session) -> dict[str, Any]:
        found = list_videos(session, viewer, search=search, sort=sort, whose=whose, after=after)
        return {
            "videos": json_of_all(session, viewer, found.videos),
            "next": str(found.next) if found.next else None,
        }

    return stores().database.read(work)


@blueprint.get("/api/videos/<video:video_id>")
def video(video_id: str) -> dict[str, Any]:
    """Describe one video."""
    return visit(video_id, _describe)


@blueprint.get("/api/videos/<video:video_id>/captions")
def captions(video_id: str) -> dict[str, Any]:
    """List the captions of a video."""
    tracks = visit(video_id, lambda session, video: tracks_of(session, [video])[video.id])
    return {"captions": [track.as_json() for track in tracks]}


@blueprint.patch("/api/videos/<video:video_id>")
def patch(video_id: str) -> dict[str, Any]:
    """Change a video of the caller's, and return it as it is now."""
    viewer = require_viewer()
    changes.find_to_edit(viewer, video_id)
    fields = json_fields(optional=("title", "description", "visibility"), flags=("downloadable",))
    changes.edit(viewer, video_id, fields)
    return visit(video_id, _describe)


def _describe(session: Session, video: Video) -> dict[str, Any]:
    return json_of_all(session, current_viewer(), [video])[0]


@blueprint.delete("/api/videos/<video:video_id>")
def delete(video_id: str) -> tuple[str, int]:
    """Delete a video of the caller's, or one that an administrator takes down."""
    changes.remove(require_viewer(), video_id)
    return "", 204
