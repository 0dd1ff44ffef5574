"""The owner's pages: editing a video, its captions, processing it again, and deletion."""

from dataclasses import replace
from io import BytesIO

from flask import Blueprint, jsonify, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from common.access import Rights, Viewer, Watcher
from common.errors import Unprocessable
from common.translation import gettext, gettext_noop
from common.web.app_factory import FORM_LIMIT
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.error_handlers import wants_json
from common.web.forms import form_fields
from common.web.services import stores
from common.web.urls import watch_url
from db.engine import transaction
from db.models import CAPTION_LIMIT, Video
from streaming_service.services import services
from streaming_service.videos.captions import add_caption, caption_tracks, remove_caption
from streaming_service.videos.changes import VideoEdit, bin_video, edit_video, upsert
from streaming_service.videos.failed_jobs import retry_video
from streaming_service.videos.languages import COMMON
from streaming_service.videos.library import get_video_to_edit, rights_for
from streaming_service.videos.tags import split_tags, tags_of

_NOTICES = {
    "added": gettext_noop("The captions are there."),
    "removed": gettext_noop("The captions are removed."),
}

blueprint = Blueprint("edit", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)


@blueprint.get("/stream/<video:video_id>/edit")
def edit_form(video_id: str) -> str:
    """Show the form with what is there now."""
    video = get_video_to_edit(stores().database, require_viewer(), video_id)
    return _form(video)


@blueprint.post("/stream/<video:video_id>/edit")
def edit(video_id: str) -> Response:
    """Change the video, or show the form again with the reason why not."""
    viewer = require_viewer()
    video = get_video_to_edit(stores().database, viewer, video_id)
    values = form_fields("title", "description", optional=("tags", "visibility", "downloadable"))
    edited = VideoEdit(
        title=values["title"],
        description=values["description"],
        tags=split_tags(values["tags"]) if "tags" in request.form else None,
    )
    if values["visibility"]:
        edited = replace(
            edited,
            visibility=values["visibility"],
            downloadable=values["downloadable"] != "",
        )
    try:
        edit_video(stores(), current_actor(), video_id, edited)
    except Unprocessable as error:
        return make_response(_form(video, values=values, error=error.sentence), error.status)
    return redirect(f"{watch_url(video_id)}?done=saved", 303)


@blueprint.post("/stream/<video:video_id>/captions")
def add_captions(video_id: str) -> Response:
    """Add captions to the video, or show the form again with the reason why not."""
    viewer = require_viewer()
    video = get_video_to_edit(stores().database, viewer, video_id)
    request.max_content_length = CAPTION_LIMIT + FORM_LIMIT
    fields = form_fields("language", optional=("label",))
    try:
        track = upsert(
            add_caption, stores().database, viewer, video_id, **fields, data=_uploaded_file()
        )
    except Unprocessable as error:
        if wants_json():
            raise
        page = _form(video, caption=fields, caption_error=error.sentence)
        return make_response(page, error.status)
    if wants_json():
        return make_response(jsonify(track.as_json()), 201)
    return redirect(f"{watch_url(video_id)}/edit?done=added#captions", 303)


def _uploaded_file() -> bytes:
    """Return the file of the form, cut at one byte more than captions may have."""
    upload = request.files.get("file")
    with upload.stream if upload else BytesIO() as stream:  # a large one is a temporary file
        data = stream.read(CAPTION_LIMIT + 1)
    if not data:
        raise Unprocessable(gettext("Choose a file with captions: WebVTT or SRT."))
    return data


@blueprint.post("/stream/<video:video_id>/captions/<language:language>/delete")
def remove_captions(video_id: str, language: str) -> Response:
    """Remove captions, and go back to the form."""
    remove_caption(stores().database, require_viewer(), video_id, language)
    return redirect(f"{watch_url(video_id)}/edit?done=removed#captions", 303)


@blueprint.post("/stream/<video:video_id>/process")
def process(video_id: str) -> Response:
    """Queue the failed jobs again, and go back to the video."""
    retry_video(stores(), require_viewer(), video_id)
    return redirect(f"{watch_url(video_id)}?done=again", 303)


@blueprint.post("/stream/<video:video_id>/delete")
def delete(video_id: str) -> Response:
    """Delete the video, and go back to the part of the library that it was in."""
    viewer = require_viewer()
    video = bin_video(stores(), current_actor(), video_id)
    if video.owner_id == viewer.id:
        return redirect(f"/stream?whose=mine&done=deleted&video={video_id}", 303)
    return redirect("/stream?done=taken-down", 303)


def _form(
    video: Video,
    *,
    values: dict[str, str] | None = None,
    error: str | None = None,
    caption: dict[str, str] | None = None,
    caption_error: str | None = None,
) -> str:
    current = {
        "title": video.title,
        "description": video.description,
        "visibility": video.visibility.value,
        "downloadable": "on" if video.downloadable else "",
        "tags": ", ".join(_tags(stores().database, video)),
    }
    return render_template(
        "streaming/edit.html",
        video=video,
        tracks=caption_tracks(stores().database, [video])[video.id],
        languages=COMMON,
        values=values or current,
        error=error,
        caption=caption or {},
        caption_error=caption_error,
        notice=_NOTICES.get(request.args.get("done", "")),
        bin_days=services().bin_days,
        rights=_rights(stores().database, require_viewer(), video_id=video.id),
    )


@transaction(writes=False)
def _tags(session: Session, video: Video) -> list[str]:
    return tags_of(session, [video])[video.id]


@transaction(writes=False)
def _rights(session: Session, viewer: Viewer, *, video_id: str) -> Rights:
    return rights_for(session, Watcher(viewer), [video_id])[video_id]
