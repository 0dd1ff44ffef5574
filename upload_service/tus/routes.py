"""Resumable uploads over tus 1.0.0: requests become calls, and results become headers."""

import time
from contextlib import suppress

import structlog
from flask import Blueprint, Response, make_response, request
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.http import http_date

from common.errors import Forbidden, MatineeError, Unprocessable
from common.translation import gettext
from common.web.auth import Audience, restrict_to
from common.web.csrf import is_cross_site
from common.web.urls import watch_url
from db.models import Upload
from upload_service.metrics import uploads_ended
from upload_service.receive.append_pieces import Checksum, LengthExceeded
from upload_service.receive.body import ClientDisconnected, RequestTimeout
from upload_service.services import request_body, settings, upload_context, upload_slot
from upload_service.tus import headers as tus
from upload_service.uploads.append import AppendRequest, append
from upload_service.uploads.complete import concatenate, recover_upload
from upload_service.uploads.context import UploadContext
from upload_service.uploads.create import create_upload
from upload_service.uploads.delete import delete_upload
from upload_service.uploads.lease import Superseded
from upload_service.uploads.lock import UploadLocked
from upload_service.uploads.queries import UploadExpired, UploadStatus, status_of

blueprint = Blueprint("tus", __name__)
restrict_to(blueprint, Audience.UPLOADERS)

log = structlog.get_logger()

_ANY = ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE")  # see `_method`
_COLLECTION = ("OPTIONS", "POST")
_UPLOAD = ("OPTIONS", "HEAD", "PATCH", "DELETE")


@blueprint.route(tus.FILES, methods=_ANY, provide_automatic_options=False)
def uploads() -> Response:
    """Create an upload, or tell what this server can do."""
    return _options() if _method(_COLLECTION) == "OPTIONS" else _create()


@blueprint.route(f"{tus.FILES}/<upload_id>", methods=_ANY, provide_automatic_options=False)
def upload(upload_id: str) -> Response:
    """Return how far an upload is, append to it, or delete it."""
    match _method(_UPLOAD):
        case "OPTIONS":
            return _options()
        case "HEAD":
            return _head(upload_id)
        case "PATCH":
            return _append(upload_id)
        case _:
            delete_upload(upload_context(), upload_id)
            return make_response("", 204)


@blueprint.after_request
def speak_tus(response: Response) -> Response:
    """Name the protocol, and let a refused client finish sending before the connection ends."""
    if _wanted_method() != "OPTIONS":
        response.headers["Tus-Resumable"] = tus.VERSION
        response.headers["Cache-Control"] = "no-store"
    if request.method in ("POST", "PATCH") and response.status_code >= 400:
        response.call_on_close(request_body().drain)
    return response


def _wanted_method() -> str:
    return request.headers.get("X-HTTP-Method-Override", request.method).upper()


def _method(known: tuple[str, ...]) -> str:
    """Return what the client wants, which is not always what its HTTP library could send.

    :raises Forbidden: it wants to change something, by a method that is not checked for that.
    :raises WrongVersion: it does not speak this protocol.
    """
    wanted = _wanted_method()
    if wanted not in known:
        raise MethodNotAllowed(valid_methods=known)
    if wanted not in ("HEAD", "OPTIONS") and is_cross_site(request):
        raise Forbidden(gettext("This request came from another site, so nothing was changed."))
    if wanted != "OPTIONS" and request.headers.get("Tus-Resumable") != tus.VERSION:
        raise tus.WrongVersion
    return wanted


def _options() -> Response:
    response = make_response("", 204)
    response.headers["Tus-Version"] = tus.VERSION
    response.headers["Tus-Extension"] = tus.EXTENSIONS
    response.headers["Tus-Checksum-Algorithm"] = ",".join(tus.ALGORITHMS)
    response.headers["Tus-Max-Size"] = str(settings().max_upload_size)
    return response


def _create() -> Response:
    headers = request.headers
    is_part, parts = tus.concat(headers.get("Upload-Concat"))
    if parts is not None:
        return _create_concatenated(parts)
    length = tus.upload_length(headers.get("Upload-Length"), headers.get("Upload-Defer-Length"))
    new = tus.new_upload(length=length, header=headers.get("Upload-Metadata"), is_part=is_part)
    checksum = tus.checksum(headers.get("Upload-Checksum"))
    size = _size()
    if size != 0:
        _require_content_type()
        if length is not None and (size or 0) > length:
            raise LengthExceeded
    context = upload_context()
    upload = create_upload(context, new)
    log.info("upload created", upload=upload.id, length=length)
    status = UploadStatus(upload, 0, upload.length)
    if size != 0 or (length == 0 and not is_part):
        try:
            status = _receive(context, upload.id, offset=0, checksum=checksum)
        except (Unprocessable, UploadExpired):  # it is gone
            raise
        except MatineeError as error:
            error.headers["Location"] = f"{tus.FILES}/{upload.id}"
            raise
    return _created(upload, status)


def _create_concatenated(parts: list[str]) -> Response:
    if "Upload-Length" in request.headers or "Upload-Defer-Length" in request.headers:
        raise tus.BadHeader("Upload-Length")
    new = tus.new_upload(length=None, header=request.headers.get("Upload-Metadata"), is_part=False)
    context = upload_context()
    upload = create_upload(context, new, parts=parts)
    with upload_slot(upload.id):
        return _created(upload, concatenate(context, upload))


def _created(upload: Upload, status: UploadStatus) -> Response:
    response = _with_progress(make_response("", 201), status)
    response.headers["Location"] = f"{tus.FILES}/{upload.id}"
    return response


def _head(upload_id: str) -> Response:
    context = upload_context()
    status = status_of(context, upload_id)
    if status.upload is not None and status.is_complete and not status.upload.is_part:
        with suppress(UploadLocked):  # another request is at it; the answer must not wait
            status = recover_upload(context, status.upload) or status
    response = _with_progress(make_response("", 200), status)
    if status.length is None:
        response.headers["Upload-Defer-Length"] = "1"
    else:
        response.headers["Upload-Length"] = str(status.length)
    if status.upload is not None and status.upload.tus_metadata:
        response.headers["Upload-Metadata"] = status.upload.tus_metadata
    if status.upload is not None and status.upload.is_part:
        response.headers["Upload-Concat"] = "partial"
    if status.parts:
        addresses = " ".join(f"{tus.FILES}/{part}" for part in status.parts)
        response.headers["Upload-Concat"] = f"final;{addresses}"
        if not status.is_complete:
            del response.headers["Upload-Offset"]
    return response


def _append(upload_id: str) -> Response:
    _require_content_type()
    told = request.headers.get("Upload-Length")
    offset = tus.number("Upload-Offset", request.headers.get("Upload-Offset"))
    length = None if told is None else tus.number("Upload-Length", told)
    checksum = tus.checksum(request.headers.get("Upload-Checksum"))
    status = _receive(upload_context(), upload_id, offset=offset, length=length, checksum=checksum)
    return _with_progress(make_response("", 204), status)


def _receive(
    context: UploadContext,
    upload_id: str,
    *,
    offset: int,
    length: int | None = None,
    checksum: Checksum | None,
) -> UploadStatus:
    began = time.perf_counter()
    body = request_body()
    wanted = AppendRequest(body.pieces(), body.interrupt, offset, _size(), length, checksum)
    try:
        with upload_slot(upload_id):
            status = append(context, upload_id, wanted)
    except Unprocessable:
        uploads_ended.labels("refused").inc()
        raise
    except (ClientDisconnected, RequestTimeout, Superseded):
        uploads_ended.labels("left").inc()
        raise
    if status.video is not None:
        uploads_ended.labels("finished").inc()
        seconds = round(time.perf_counter() - began, 3)
        log.info("uploaded", video=status.video.id, bytes=status.length, seconds=seconds)
    return status


def _with_progress(response: Response, status: UploadStatus) -> Response:
    response.headers["Upload-Offset"] = str(status.offset)
    if status.video is not None:
        response.headers["Upload-Video"] = watch_url(status.video.id)
        if status.video.sha256 is not None:
            response.headers["Upload-Receipt"] = f"sha256 {status.video.sha256}"
    elif status.upload is not None and status.upload.expires_at is not None:
        response.headers["Upload-Expires"] = http_date(status.upload.expires_at)
    # The answer has no body, so it has no type.
    del response.headers["Content-Type"]
    return response


def _size() -> int | None:
    """Return how many bytes the request carries; None where that shows only at their end."""
    if request.content_length is None and "Transfer-Encoding" in request.headers:
        return None
    return request.content_length or 0


def _require_content_type() -> None:
    if request.mimetype != tus.CONTENT_TYPE:
        raise tus.WrongContentType
