"""The upload form, and what it sends."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from flask import Blueprint, Response, current_app, g, jsonify, make_response, redirect, request
from flask import render_template as render
from werkzeug.wrappers import Response as AnyResponse

from common.callers import Callers, admit, require_viewer
from common.errors import MatineeError, wants_json
from common.forms import require_type
from common.ids import new_id
from common.locations import watch_url
from common.storage import MediaStorage, StorageError
from common.stores import stores
from db.models import Video
from upload_service.body import FRAME, Body, ClientLeft, ClientStalled
from upload_service.counters import uploads_ended
from upload_service.form import boundary_of, read_form
from upload_service.reception import Arrival, NoRoom, file_too_large, receive_form, room
from upload_service.settings import UploadSettings
from upload_service.uploads import finish_upload

blueprint = Blueprint("upload", __name__)
admit(blueprint, Callers.UPLOADERS)

log = structlog.get_logger()


class VolumeAway(MatineeError):
    """The volume cannot be written; the log says why."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Videos cannot be stored at the moment. Tell the administrator.")
        self.headers["Retry-After"] = "10"


class TooManyUploads(MatineeError):
    """All threads that uploads may have are taken; the others are for everybody else."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Too many files are arriving just now. Try again in a minute.")
        self.headers["Retry-After"] = "30"


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
        with _slot():
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
        return make_response(jsonify(id=video.id, url=url, title=video.title), 201)
    return redirect(url, 303)


@blueprint.after_request
def let_the_client_finish(response: Response) -> Response:
    """Once the answer is out, take what a refused client still sends, so that it sees the answer.

    This holds for every refusal, those before the view included.
    """
    if request.method == "POST":
        response.call_on_close(_body().discard)
    return response


def _receive(arrival: Arrival) -> Video:
    settings: UploadSettings = current_app.extensions["settings"]
    require_type("multipart/form-data")
    boundary = boundary_of(request.mimetype_params)
    too_large = file_too_large(settings.max_upload_size)
    body = _body()
    body.require_at_most(settings.max_upload_size + FRAME, too_large.sentence)
    storage = _storage()
    if (request.content_length or 0) > room(storage) + FRAME:
        raise NoRoom
    pieces = body.pieces(limit=settings.max_upload_size + FRAME)
    received = receive_form(
        stores(),
        storage,
        owner_id=require_viewer().id,
        parts=read_form(pieces, boundary),
        arrival=arrival,
        max_size=settings.max_upload_size,
    )
    return finish_upload(stores(), storage, upload=received)


def _form(arrival: Arrival, error: MatineeError | None = None) -> Response:
    settings: UploadSettings = current_app.extensions["settings"]
    try:
        free = room(_storage())
    except MatineeError:
        free = None
    page = render(
        "upload/form.html",
        max_size=settings.max_upload_size,
        free=free,
        submission=new_id(),
        title=arrival.title,
        error=error.sentence if error else None,
    )
    response = make_response(page, error.status if error else 200)
    if error:
        response.headers.update(error.headers)
    return response


def _storage() -> MediaStorage:
    """Return the volume, ready to be written.

    :raises VolumeAway: it is not.
    """
    storage: MediaStorage = current_app.extensions["storage"]
    try:
        storage.prepare()
    except StorageError as error:
        log.warning("the volume cannot be used", detail=str(error))
        raise VolumeAway from error
    return storage


@contextmanager
def _slot() -> Iterator[None]:
    slots: threading.BoundedSemaphore = current_app.extensions["upload_slots"]
    if not slots.acquire(blocking=False):
        raise TooManyUploads
    try:
        yield
    finally:
        slots.release()


def _body() -> Body:
    if "body" not in g:
        g.body = Body(request)
    body: Body = g.body
    return body
