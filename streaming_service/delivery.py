"""Sending the bytes of videos, on a bare machine; behind the gateway nginx does it.

The order is nginx's: who asks, then how, then for which part. gunicorn sends what is under its file
wrapper with `sendfile(2)`, from the file's position and for as many bytes as `Content-Length` says,
so a range costs the same wherever it lies.
"""

import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar

from flask import Blueprint, Response, current_app, request
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.routing import Rule

from common.callers import Callers, admit, session_token
from common.errors import MatineeError, NotThere
from common.storage import MediaStorage, StoredFile
from common.stores import stores
from streaming_service.playback import authorise
from streaming_service.ranges import Condition, Facts, RangeError, wanted_range, weigh

_PIECE = 64 * 1024  # bytes read at once where the server has no file wrapper

_STALL = 300_000  # milliseconds in which a client takes no byte, after which its thread is freed

_HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

blueprint = Blueprint("delivery", __name__)
admit(blueprint, Callers.ANYBODY)


class WrongMethod(MatineeError):
    """Media can only be fetched."""

    status: ClassVar[int] = 405

    def __init__(self) -> None:
        super().__init__("This address does not take that kind of request.")
        self.headers["Allow"] = "GET, HEAD"


class NoSuchRange(MatineeError):
    """The file has no byte of the range asked for."""

    status: ClassVar[int] = 416

    def __init__(self, size: int) -> None:
        super().__init__("The file has no such range of bytes.")
        self.headers |= {"Content-Range": f"bytes */{size}", "Cache-Control": "private, no-cache"}


class PreconditionFailed(MatineeError):
    """The file is not the one that the request is about."""

    status: ClassVar[int] = 412

    def __init__(self) -> None:
        super().__init__("The file is not the one that was expected.")


def _add_route(state: BlueprintSetupState) -> None:
    # Flask's own decorator takes a list of methods, and would answer all others with 405 before
    # anybody looked who is asking.
    endpoint = f"{blueprint.name}.send_video"
    state.app.url_map.add(Rule("/stream/<video:video_id>/video.mp4", endpoint=endpoint))
    state.app.view_functions[endpoint] = send_video


blueprint.record(_add_route)


def send_video(video_id: str) -> Response:
    """Answer one request for a video's file.

    :raises SignInRequired: nobody is signed in, and the video is not public.
    :raises NotThere: it is not for this viewer, or there is no such video or file.
    :raises WrongMethod: somebody who may watch did something else.
    """
    authorise(stores(), token=session_token(), video_id=video_id)
    if request.method not in ("GET", "HEAD"):
        raise WrongMethod
    storage: MediaStorage = current_app.extensions["storage"]
    try:
        return _answer(storage.original(video_id))
    except FileNotFoundError as error:
        raise NotThere from error


def _answer(file: StoredFile) -> Response:
    facts = Facts(size=file.size, modified=int(file.modified))
    response = Response(mimetype="video/mp4", headers=_HEADERS)
    response.headers["ETag"] = facts.etag
    response.headers["Last-Modified"] = facts.last_modified
    condition = weigh(request.headers, facts)
    if condition is Condition.FAILED:
        raise PreconditionFailed
    if condition is Condition.NOT_MODIFIED:
        response.status_code = 304
        for name in ("Content-Type", "Accept-Ranges"):
            del response.headers[name]
        return response
    try:
        part = wanted_range(request.headers, facts)
    except RangeError as error:
        raise NoSuchRange(facts.size) from error
    if part is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{facts.size}"
    else:
        part = range(facts.size)
    response.headers["Content-Length"] = str(len(part))
    if request.method == "GET" and part:
        _bound_stalls(request.environ.get("gunicorn.socket"))
        response.response = _body(file.path, part)
        response.direct_passthrough = True
    return response


def _body(path: Path, part: range) -> Iterable[bytes]:
    """Open a file for the server to send a part of, and to close when it has, or cannot."""
    file = path.open("rb", buffering=0)
    file.seek(part.start)
    wrap = request.environ.get("wsgi.file_wrapper")
    if wrap is None:
        return _Pieces(file, len(part))
    wrapped: Iterable[bytes] = wrap(file, _PIECE)
    return wrapped


def _bound_stalls(connection: socket.socket | None) -> None:
    """Have the system end a connection whose client has gone without a word, or reads nothing."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and connection is not None and connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, option, _STALL)


class _Pieces:
    """A part of a file, read piece by piece."""

    def __init__(self, file: BinaryIO, count: int) -> None:
        self._file = file
        self._left = count

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self._left and (piece := self._file.read(min(_PIECE, self._left))):
                self._left -= len(piece)
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        """Close the file, at whatever point it is."""
        self._file.close()
