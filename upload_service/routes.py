"""The upload form, and what it sends."""

import time
from typing import Any

import structlog
from flask import Blueprint, Response, jsonify, make_response, redirect, request
from flask import render_template as render
from werkzeug.wrappers import Response as AnyResponse

from common.collection_access import editable_collections
from common.errors import MatineeError
from common.formats import accepted_by_browsers, in_words
from common.ids import new_id
from common.quota import binned_bytes
from common.storage.store_settings import Store
from common.web.auth import Audience, require_viewer, restrict_to
from common.web.error_handlers import wants_json
from common.web.forms import require_type
from common.web.services import stores
from common.web.urls import watch_url
from db.engine import DatabaseUnavailable
from db.models import Video
from upload_service.api_routes import describe_unfinished
from upload_service.metrics import uploads_ended
from upload_service.receive.body import FORM_OVERHEAD, ClientDisconnected, RequestTimeout
from upload_service.receive.form_upload import FormUpload, receive_form
from upload_service.receive.multipart_form import boundary_of, read_form
from upload_service.services import request_body, settings, upload_context, upload_slot
from upload_service.uploads.context import UploadContext
from upload_service.uploads.delete import delete_upload
from upload_service.uploads.quota import InsufficientStorage, available_bytes, file_too_large

blueprint = Blueprint("upload", __name__)
restrict_to(blueprint, Audience.UPLOADERS)

log = structlog.get_logger()


@blueprint.get("/upload")
def form() -> Response:
    """Show the form."""
    return _render_form()


@blueprint.post("/upload")
def upload() -> AnyResponse:
    """Take a form with a file, and answer with the video."""
    return _upload()


@blueprint.get("/upload/share")
def share_again() -> AnyResponse:
    """Lead to the form whoever had to sign in before something could be shared."""
    return redirect("/upload", 303)


@blueprint.post("/upload/share")
def share() -> AnyResponse:
    """Take what a phone shares with the installed app, and answer with the video's form.

    The manifest names the same fields as the form (https://w3c.github.io/web-share-target/).
    """
    return _upload(shared=True)


def _upload(*, shared: bool = False) -> AnyResponse:
    """Take a form with a file.

    :param shared: whether a phone shares it: there may be several files, and what they are can only
        be said afterwards.
    """
    began = time.perf_counter()
    form = FormUpload(request.content_length, request_body().interrupt)
    try:
        with upload_slot(new_id()):
            video = _receive(form, several=shared)
    except MatineeError as error:
        left = isinstance(error, ClientDisconnected | RequestTimeout)
        uploads_ended.labels("left" if left else "refused").inc()
        if wants_json():
            raise
        log.info("refused", status=error.status, why=type(error).__name__, sentence=error.sentence)
        return _render_form(form, error)
    except Exception:
        uploads_ended.labels("failed").inc()
        raise
    uploads_ended.labels("finished").inc()
    seconds = round(time.perf_counter() - began, 3)
    log.info("uploaded", video=video.id, bytes=form.received, seconds=seconds)
    url = watch_url(video.id)
    if wants_json():
        return make_response(
            jsonify(id=video.id, url=url, title=video.title, size=video.size, sha256=video.sha256),
            201,
        )
    if shared:
        return redirect(f"{url}/edit" if form.count == 1 else "/stream?whose=mine", 303)
    return redirect(url, 303)


@blueprint.post("/upload/files/<upload_id>/discard")
def discard(upload_id: str) -> AnyResponse:
    """Delete an unfinished upload, and go back to the page that lists the others."""
    delete_upload(upload_context(), upload_id)
    return redirect("/upload", 303)


@blueprint.after_request
def drain_request_body(response: Response) -> Response:
    """Once the answer is out, read what a refused client still sends, so that it sees the answer.

    This holds for every refusal, those before the view included.
    """
    if request.method == "POST":
        response.call_on_close(request_body().drain)
    return response


def _receive(form: FormUpload, *, several: bool) -> Video:
    require_type("multipart/form-data")
    boundary = boundary_of(request.mimetype_params)
    max_bytes = settings().max_upload_size + FORM_OVERHEAD
    body = request_body()
    body.require_at_most(max_bytes, file_too_large(settings().max_upload_size).sentence)
    context = upload_context()
    free = _free_bytes(context)
    if free is not None and (request.content_length or 0) > free + FORM_OVERHEAD:
        raise InsufficientStorage
    parts = read_form(body.pieces(max_bytes=max_bytes), boundary)
    return receive_form(context, require_viewer(), parts, form, several=several)


def _free_bytes(context: UploadContext) -> int | None:
    """Return how many bytes uploads may still write; None where the disk is no limit."""
    if context.settings.upload_store is Store.S3:
        return None
    return available_bytes(context.incoming)


def _render_form(form: FormUpload | None = None, error: MatineeError | None = None) -> Response:
    unfinished: list[dict[str, Any]] = []
    try:
        context = upload_context()
        free = _free_bytes(context)
        binned = binned_bytes(context.database, user_id=context.owner_id)
        unfinished = describe_unfinished(context)
        for one in unfinished:
            one["percent"] = one["offset"] * 100 // one["length"] if one["length"] else 0
    except MatineeError:
        free, binned = None, 0
    try:
        collections = editable_collections(stores().database, require_viewer())
    except DatabaseUnavailable:
        collections = []
    page = render(
        "upload/form.html",
        max_size=settings().max_upload_size,
        free=free,
        binned=binned,
        accept=accepted_by_browsers(settings().formats),
        kinds=in_words(settings().formats),
        matroska=bool(settings().formats & {"mkv", "webm"}),
        submission=new_id(),
        form=form or FormUpload(None, lambda: None),
        collections=collections,
        unfinished=unfinished,
        error=error.sentence if error else None,
    )
    return make_response(page, error.status, error.headers) if error else make_response(page)
