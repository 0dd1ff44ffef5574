"""The owner's pages: editing a video, its poster and captions, processing it again, deletion."""

import re
from dataclasses import replace
from io import BytesIO

from flask import Blueprint, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from common.access import Watcher
from common.errors import Unprocessable
from common.translation import gettext, gettext_noop
from common.web.app_factory import FORM_LIMIT
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.error_handlers import wants_json
from common.web.forms import form_fields
from common.web.notices import notice_of
from common.web.services import stores
from common.web.urls import watch_url
from db.models import CAPTION_LIMIT, POSTER_LIMIT, Video
from streaming_service.pages.refused import refused
from streaming_service.services import services
from streaming_service.videos.captions import add_caption, caption_tracks, remove_caption
from streaming_service.videos.changes import VideoEdit, bin_video, edit_video, upsert
from streaming_service.videos.failed_jobs import retry_video
from streaming_service.videos.languages import COMMON
from streaming_service.videos.library import get_video_to_edit
from streaming_service.videos.posters import choose_poster, poster_progress
from streaming_service.videos.presenters import load_cards
from streaming_service.videos.tags import split_tags

_NOTICES = {
    "added": gettext_noop("The captions are added."),
    "removed": gettext_noop("The captions are removed."),
}
_MOMENT = re.compile(r"(?:(?:([0-9]{1,3}):)?([0-9]{1,5}):)?([0-9]{1,6})(?:[.,]([0-9]{1,3}))?")

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
        is_downloadable = values["downloadable"] != ""
        edited = replace(edited, visibility=values["visibility"], downloadable=is_downloadable)
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
            add_caption,
            stores().database,
            viewer,
            video_id,
            **fields,
            data=_uploaded_file(
                CAPTION_LIMIT, missing=gettext("Choose a file with captions: WebVTT or SRT.")
            ),
        )
    except Unprocessable as error:
        return refused(error, _form(video, caption=fields, caption_error=error.sentence))
    if wants_json():
        return make_response(jsonify(track.as_json()), 201)
    return redirect(f"{watch_url(video_id)}/edit?done=added#captions", 303)


def _uploaded_file(limit: int, *, missing: str) -> bytes:
    """Return the file of the form, cut at one byte more than it may have.

    :raises Unprocessable: there is none, or it is empty, with the sentence for that.
    """
    upload = request.files.get("file")
    with upload.stream if upload else BytesIO() as stream:  # a large one is a temporary file
        data = stream.read(limit + 1)
    if not data:
        raise Unprocessable(missing)
    return data


@blueprint.post("/stream/<video:video_id>/poster")
def choose(video_id: str) -> Response:
    """Choose the poster: a moment, `at`, or an image, `file`."""
    viewer = require_viewer()
    video = get_video_to_edit(stores().database, viewer, video_id)
    request.max_content_length = POSTER_LIMIT + FORM_LIMIT
    fields = form_fields(optional=("at",))
    try:
        if fields["at"]:
            choose_poster(stores(), viewer, video_id, at_ms=_moment(fields["at"]))
        else:
            image = _uploaded_file(POSTER_LIMIT, missing=gettext("Choose a moment, or an image."))
            choose_poster(stores(), viewer, video_id, image=image)
    except Unprocessable as error:
        page = _form(video, poster_error=error.sentence, poster_at=fields["at"])
        return refused(error, page)
    if wants_json():
        return make_response("", 202)
    return redirect(f"{watch_url(video_id)}/edit?done=poster#poster", 303)


def _moment(text: str) -> int:
    """Read `1:02:03`, `2:03` or `123.5` as milliseconds."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise Unprocessable(gettext("Write the moment in minutes and seconds, such as 1:23."))
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[:3])
    return 1000 * (3600 * hours + 60 * minutes + seconds) + int((match[4] or "").ljust(3, "0"))


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
    poster_error: str | None = None,
    poster_at: str = "",
) -> str:
    here = services()
    database = here.stores.database
    [card] = load_cards(database, Watcher(require_viewer()), [video], here.forecasts)
    is_being_made, problem = poster_progress(database, video.id)
    current = {
        "title": video.title,
        "description": video.description,
        "visibility": video.visibility.value,
        "downloadable": "on" if video.downloadable else "",
        "tags": ", ".join(card.tags),
    }
    return render_template(
        "streaming/edit.html",
        video=video,
        tracks=caption_tracks(database, [video])[video.id],
        processing=card.processing,
        placeholder=card.placeholder,
        poster_is_being_made=is_being_made,
        poster_error=poster_error or problem,
        poster_at=poster_at or request.args.get("at", "")[:12],
        languages=COMMON,
        values=values or current,
        error=error,
        caption=caption or {},
        caption_error=caption_error,
        notice=notice_of(_NOTICES),
        bin_days=here.bin_days,
        rights=card.rights,
    )
