"""Resumable uploads over tus 1.0.0: its requests as calls, and the answers as headers."""

import time
from contextlib import suppress
from datetime import UTC
from email.utils import format_datetime

import structlog
from flask import Blueprint, Response, make_response, request
from werkzeug.exceptions import MethodNotAllowed

from common.errors import Forbidden, MatineeError
from common.web.auth import Audience, require_viewer, restrict_to
from common.web.csrf import is_cross_site
from common.web.services import stores
from common.web.urls import watch_url
from db.models import Upload
from upload_service import tus
from upload_service.appending import append
from upload_service.body import ClientLeft, ClientStalled
from upload_service.counters import uploads_ended
from upload_service.creation import begin
from upload_service.ending import settle, terminate
from upload_service.intake import body_of_request, limits, settings, slot, volume
from upload_service.joining import join
from upload_service.lookup import Standing, standing_of
from upload_service.mp4 import NotAVideo
from upload_service.promises import Appending
from upload_service.storing import PastTheEnd
from upload_service.uploads import UploadGone
from upload_service.writers import Locked, TakenOver

blueprint = Blueprint("tus", __name__)
restrict_to(blueprint, Audience.UPLOADERS)

log = structlog.get_logger()

_COLLECTION = ("OPTIONS", "POST")
_UPLOAD = ("OPTIONS", "HEAD", "PATCH", "DELETE")


@blueprint.route(
    tus.FILES,
    methods=["GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"],
    provide_automatic_options=False,
)
def uploads() -> Response:
    """Make an upload, or tell what this server can do."""
    match _method(_COLLECTION):
        case "OPTIONS":
            return _abilities()
        case _:
            return _create()


@blueprint.route(
    f"{tus.FILES}/<upload_id>",
    methods=["GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"],
    provide_automatic_options=False,
)
def upload(upload_id: str) -> Response:
    """Tell where an upload stands, take bytes for it, or throw it away."""
    match _method(_UPLOAD):
        case "OPTIONS":
            return _abilities()
        case "HEAD":
            return _tell(upload_id)
        case "PATCH":
            return _append(upload_id)
        case _:
            return _terminate(upload_id)


@blueprint.after_request
def speak_tus(response: Response) -> Response:
    """Say which protocol this is, and let a refused client finish sending before we close."""
    if _wanted_method() != "OPTIONS":
        response.headers["Tus-Resumable"] = tus.VERSION
        response.headers["Cache-Control"] = "no-store"
    if request.method in ("POST", "PATCH") and response.status_code >= 400:
        response.call_on_close(body_of_request().discard)
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
        raise Forbidden("This request came from another site, so nothing was changed.")
    if wanted != "OPTIONS" and request.headers.get("Tus-Resumable") != tus.VERSION:
        raise tus.WrongVersion
    return wanted


def _abilities() -> Response:
    response = make_response("", 204)
    response.headers["Tus-Version"] = tus.VERSION
    response.headers["Tus-Extension"] = ",".join(tus.EXTENSIONS)
    response.headers["Tus-Checksum-Algorithm"] = ",".join(tus.ALGORITHMS)
    response.headers["Tus-Max-Size"] = str(settings().max_upload_size)
    return response


def _create() -> Response:
    headers = request.headers
    joining = tus.joining(headers.get("Upload-Concat"))
    if joining.parts is not None:
        return _create_joined(joining.parts)
    length = tus.announced_length(headers.get("Upload-Length"), headers.get("Upload-Defer-Length"))
    announced = tus.announcement(
        length=length, header=headers.get("Upload-Metadata"), is_part=joining.is_part
    )
    checksum = tus.checksum(headers.get("Upload-Checksum"))
    size = _size()
    if size != 0:
        _require_content_type()
        if length is not None and (size or 0) > length:
            raise PastTheEnd
    storage = volume()
    made = begin(
        stores(), storage, owner_id=require_viewer().id, announced=announced, limits=limits()
    )
    log.info("upload begun", upload=made.id, length=length)
    standing = Standing(made, 0, made.length)
    if size != 0 or (length == 0 and not joining.is_part):
        try:
            standing = _receive(made.id, Appending(offset=0, size=size, checksum=checksum))
        except (NotAVideo, UploadGone):
            raise
        except MatineeError as error:
            error.headers["Location"] = f"{tus.FILES}/{made.id}"
            raise
    return _made(made, standing)


def _create_joined(parts: list[str]) -> Response:
    if "Upload-Length" in request.headers or "Upload-Defer-Length" in request.headers:
        raise tus.BadHeader("Upload-Length")
    announced = tus.announcement(
        length=None, header=request.headers.get("Upload-Metadata"), is_part=False
    )
    storage = volume()
    made = begin(
        stores(),
        storage,
        owner_id=require_viewer().id,
        announced=announced,
        parts=parts,
        limits=limits(),
    )
    with slot():
        return _made(made, join(stores(), storage, upload=made))


def _made(made: Upload, standing: Standing) -> Response:
    response = _tell_progress(make_response("", 201), standing)
    response.headers["Location"] = f"{tus.FILES}/{made.id}"
    return response


def _tell(upload_id: str) -> Response:
    storage = volume()
    standing = standing_of(stores(), storage, owner_id=require_viewer().id, upload_id=upload_id)
    if standing.upload is not None and _may_be_settled(standing):
        with suppress(Locked):  # somebody is at it; the answer must not wait
            standing = settle(stores(), storage, upload=standing.upload) or standing
    response = _tell_progress(make_response("", 200), standing)
    if standing.length is None:
        response.headers["Upload-Defer-Length"] = "1"
    else:
        response.headers["Upload-Length"] = str(standing.length)
    if standing.upload is not None:
        _tell_announcement(response, standing)
    return response


def _may_be_settled(standing: Standing) -> bool:
    return standing.offset == standing.length and not (standing.upload and standing.upload.is_part)


def _tell_announcement(response: Response, standing: Standing) -> None:
    row = standing.upload
    if row is None:
        return
    if row.tus_metadata:
        response.headers["Upload-Metadata"] = row.tus_metadata
    if row.is_part:
        response.headers["Upload-Concat"] = "partial"
    if row.parts is not None:
        addresses = " ".join(f"{tus.FILES}/{part}" for part in row.parts.split())
        response.headers["Upload-Concat"] = f"final;{addresses}"
        if standing.offset != standing.length:
            del response.headers["Upload-Offset"]


def _append(upload_id: str) -> Response:
    _require_content_type()
    length = request.headers.get("Upload-Length")
    said = Appending(
        offset=tus.number("Upload-Offset", request.headers.get("Upload-Offset")),
        size=_size(),
        length=None if length is None else tus.number("Upload-Length", length),
        checksum=tus.checksum(request.headers.get("Upload-Checksum")),
    )
    return _tell_progress(make_response("", 204), _receive(upload_id, said))


def _receive(upload_id: str, said: Appending) -> Standing:
    began = time.perf_counter()
    try:
        with slot():
            standing = append(
                stores(),
                volume(),
                owner_id=require_viewer().id,
                upload_id=upload_id,
                said=said,
                body=body_of_request(),
                limits=limits(),
            )
    except NotAVideo:
        uploads_ended.labels("refused").inc()
        raise
    except (ClientLeft, ClientStalled, TakenOver):
        uploads_ended.labels("left").inc()
        raise
    if standing.video is not None:
        uploads_ended.labels("finished").inc()
        seconds = round(time.perf_counter() - began, 3)
        log.info("uploaded", video=standing.video.id, bytes=standing.length, seconds=seconds)
    return standing


def _terminate(upload_id: str) -> Response:
    owner_id = require_viewer().id
    terminate(stores(), volume(), owner_id=owner_id, upload_id=upload_id)
    return make_response("", 204)


def _tell_progress(response: Response, standing: Standing) -> Response:
    response.headers["Upload-Offset"] = str(standing.offset)
    if standing.video is not None:
        response.headers["Upload-Video"] = watch_url(standing.video.id)
        if standing.video.sha256 is not None:
            response.headers["Upload-Receipt"] = f"sha256 {standing.video.sha256}"
    elif standing.upload is not None and standing.upload.expires_at is not None:
        until = standing.upload.expires_at.astimezone(UTC)
        response.headers["Upload-Expires"] = format_datetime(until, usegmt=True)
    # Nobody puts it into a frame or reads it as a page.
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
