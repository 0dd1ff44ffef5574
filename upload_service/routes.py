"""The upload form, and what it sends."""

import time
from functools import partial
from typing import Any

import structlog
from flask import Blueprint, Response, jsonify, make_response, redirect, request
from flask import render_template as render
from werkzeug.wrappers import Response as AnyResponse

from common.errors import MatineeError
from common.formats import accepted_by_browsers, in_words
from common.ids import new_id
from common.web.auth import Audience, require_viewer, restrict_to
from common.web.error_handlers import wants_json
from common.web.forms import require_type
from common.web.services import stores
from common.web.urls import watch_url
from db.models import Video
from upload_service.body import FRAME, ClientLeft, ClientStalled
from upload_service.counters import uploads_ended
from upload_service.ending import terminate
from upload_service.form import boundary_of, read_form
from upload_service.intake import (
    body_of_request,
    described,
    limits,
    percent,
    settings,
    slot,
    volume,
)
from upload_service.lookup import unfinished
from upload_service.reception import Arrival, receive_form
from upload_service.reservations import NoRoom, file_too_large, room
from upload_service.uploads import finish_upload

blueprint = Blueprint("upload", __name__)
restrict_to(blueprint, Audience.UPLOADERS)

log = structlog.get_logger()


@blueprint.get("/upload")
def form() -> Response:
    """Show the form."""
    return _form(Arrival())


@blueprint.post("/upload")
def upload() -> AnyResponse:
    """Take a form with a file, and answer with the video."""
    began = time.perf_counter()
    arrival = Arrival()
    try:
        with slot():
            video = _receive(arrival)
    except MatineeError as error:
        left = isinstance(error, ClientLeft | ClientStalled)
        uploads_ended.labels("left" if left else "refused").inc()
        if wants_json():
            raise
        log.info("refused", status=error.status, why=type(error).__name__, sentence=error.sentence)
        return _form(arrival, error)
    except Exception:
        uploads_ended.labels("failed").inc()
        raise
    uploads_ended.labels("finished").inc()
    seconds = round(time.perf_counter() - began, 3)
    log.info("uploaded", video=video.id, bytes=arrival.received, seconds=seconds)
    url = watch_url(video.id)
    if wants_json():
        return make_response(
            jsonify(id=video.id, url=url, title=video.title, size=video.size, sha256=video.sha256),
            201,
        )
    return redirect(url, 303)


@blueprint.get("/api/uploads")
def listed() -> Response:
    """Return the caller's uploads that can be continued."""
    return jsonify(uploads=_unfinished())


@blueprint.post("/upload/files/<upload_id>/discard")
def discard(upload_id: str) -> AnyResponse:
    """Throw an unfinished upload away, and go back to the page that lists the others."""
    owner_id = require_viewer().id
    terminate(stores(), volume(), owner_id=owner_id, upload_id=upload_id)
    return redirect("/upload", 303)


@blueprint.after_request
def let_the_client_finish(response: Response) -> Response:
    """Once the answer is out, take what a refused client still sends, so that it sees the answer.

    This holds for every refusal, those before the view included.
    """
    if request.method == "POST":
        response.call_on_close(body_of_request().discard)
    return response


def _receive(arrival: Arrival) -> Video:
    require_type("multipart/form-data")
    boundary = boundary_of(request.mimetype_params)
    too_large = file_too_large(settings().max_upload_size)
    body = body_of_request()
    body.require_at_most(settings().max_upload_size + FRAME, too_large.sentence)
    storage = volume()
    if (request.content_length or 0) > room(storage) + FRAME:
        raise NoRoom
    pieces = body.pieces(
        lambda: arrival.make_room(),  # noqa: PLW0108 (it changes on the way)
        limit=settings().max_upload_size + FRAME,
    )
    received = receive_form(
        stores(),
        storage,
        owner_id=require_viewer().id,
        parts=read_form(pieces, boundary),
        arrival=arrival,
        limits=limits(),
        announced=request.content_length,
    )
    return finish_upload(stores(), storage, upload=received, sha256=arrival.sha256)


def _unfinished() -> list[dict[str, Any]]:
    work = partial(unfinished, owner_id=require_viewer().id)
    storage = volume()
    return [described(upload, storage) for upload in stores().database.read(work)]


def _form(arrival: Arrival, error: MatineeError | None = None) -> Response:
    unfinished: list[dict[str, Any]] = []
    try:
        free = room(volume())
        unfinished = [upload | {"percent": percent(upload)} for upload in _unfinished()]
    except MatineeError:
        free = None
    page = render(
        "upload/form.html",
        max_size=settings().max_upload_size,
        free=free,
        accept=accepted_by_browsers(settings().formats),
        kinds=in_words(settings().formats),
        matroska=bool(settings().formats & {"mkv", "webm"}),
        submission=new_id(),
        title=arrival.title,
        unfinished=unfinished,
        error=error.sentence if error else None,
    )
    response = make_response(page, error.status if error else 200)
    if error:
        response.headers.update(error.headers)
    return response
