"""Sending the files of videos, on a bare machine; behind the gateway nginx does it.

The order is nginx's: who asks, then how, then for which part. gunicorn sends what is under its file
wrapper with `sendfile(2)`, from the file's position and for as many bytes as `Content-Length` says,
so a range costs the same wherever it lies.

A player asks for thousands of ranges, and Flask would spend most of a small one's time. So what
is granted is answered in front of it; every refusal is handed on, to be worded as all others are.
"""

import re
import socket
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, ClassVar, NoReturn

import structlog
from flask import Blueprint, Flask, request
from flask.sansio.blueprints import BlueprintSetupState
from redis.exceptions import RedisError
from werkzeug.routing import BaseConverter, Rule

from common.errors import MatineeError, NotFound
from common.media import NAMES, RENDITION, MediaFile, media_of
from common.storage import MediaStorage
from common.stores import Stores
from common.web.auth import Audience, cookie_name, restrict_to, session_token_in
from common.web.health import count_request
from common.web.request_log import request_id
from common.web.services import Services, services_of
from db.engine import DatabaseUnavailable
from streaming_service.playback import authorise, kept_as
from streaming_service.ranges import Condition, Facts, RangeError, wanted_range, weigh

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PIECE = 64 * 1024  # bytes read at once where the server has no file wrapper

_STALL = 300_000  # milliseconds in which a client takes no byte, after which its connection ends

_PATH = re.compile(r"/stream/([A-Za-z0-9_][A-Za-z0-9_-]{21})/([a-z0-9/.-]{1,50})")
_ENDPOINT = "delivery.media"

# As in the gateway's media.conf.
_HEADERS = [
    ("Cache-Control", "private, no-cache"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
_STATUSES = {200: "200 OK", 206: "206 Partial Content", 304: "304 Not Modified"}

# The headers of a request that its answer depends on, as WSGI names them.
_ASKED = {
    f"HTTP_{name.upper().replace('-', '_')}": name
    for name in (
        "Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since",
        "If-Unmodified-Since",
    )
}  # fmt: skip

# Where, in the WSGI environment, the error is that Flask is to word.
_REFUSAL = "matinee.rejection_reason"

log = structlog.get_logger()


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


class MediaGate:
    """Answers requests for media that are granted, and hands every other one on to the app.

    :param app: has a view at the same addresses that raises what it is handed.
    :param trust_gateway: take request ids over, as the app does.
    """

    def __init__(self, app: Flask, storage: MediaStorage, *, trust_gateway: bool) -> None:
        self._app = app
        self._inner: WSGIApplication = app.wsgi_app
        self._stores: Stores = services_of(app, Services).stores
        self._storage = storage
        self._trust_gateway = trust_gateway

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        address = _PATH.fullmatch(environ.get("PATH_INFO", ""))
        media = media_of(address[2]) if address else None
        if address is None or media is None:
            return self._inner(environ, start_response)
        began = time.perf_counter()
        try:
            status, headers, body = self._answer(environ, address[1], address[2], media)
        except FileNotFoundError:
            environ[_REFUSAL] = NotFound()
            return self._inner(environ, start_response)
        except (MatineeError, DatabaseUnavailable, RedisError) as error:
            environ[_REFUSAL] = error
            return self._inner(environ, start_response)
        given = environ.get("HTTP_X_REQUEST_ID", "") if self._trust_gateway else ""
        headers.append(("X-Request-Id", name := request_id(given)))
        method: str = environ["REQUEST_METHOD"]
        count_request(self._app.name, _ENDPOINT, method, status, began=began)
        log.info(
            "request",
            request_id=name,
            service=self._app.name,
            method=method,
            path=environ["PATH_INFO"],
            status=status,
            ms=round((time.perf_counter() - began) * 1000, 1),
        )
        start_response(_STATUSES[status], headers)
        return body

    def _answer(
        self, environ: "WSGIEnvironment", video_id: str, name: str, media: MediaFile
    ) -> tuple[int, list[tuple[str, str]], Iterable[bytes]]:
        """Return what is granted.

        :raises SignInRequired: nobody is signed in, and the video is not public.
        :raises NotFound: it is not for this viewer, or there is no such video.
        :raises FileNotFoundError: there is no such file.
        :raises WrongMethod: somebody who may watch did something else.
        :raises NoSuchRange: the file has no byte of the range.
        :raises PreconditionFailed: the file is another one.
        """
        token = session_token_in(environ, cookie=cookie_name(self._app, environ))
        authorise(self._stores, token=token, video_id=video_id, media=media)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            raise WrongMethod
        file, stored = self._storage.open_media(video_id, name)
        try:
            facts = Facts(size=stored.size, modified=int(stored.modified))
            status, headers, part = _weigh(environ, media, facts)
            if media.is_download:
                kept = kept_as(self._stores.database, video_id)
                headers.append(("Content-Disposition", kept))
            if environ["REQUEST_METHOD"] == "GET" and part:
                file.seek(part.start)
                _bound_stalls(environ.get("gunicorn.socket"))
                return status, headers, _body(environ, file, len(part))
        except BaseException:
            file.close()
            raise
        file.close()
        return status, headers, ()


def _weigh(
    environ: "WSGIEnvironment", media: MediaFile, facts: Facts
) -> tuple[int, list[tuple[str, str]], range]:
    """Return the status, the headers, and the part of the file that goes with them."""
    asked = {_ASKED[key]: environ[key] for key in _ASKED if key in environ}
    headers = [*_HEADERS, ("ETag", facts.etag), ("Last-Modified", facts.last_modified)]
    condition = weigh(asked, facts)
    if condition is Condition.FAILED:
        raise PreconditionFailed
    if condition is Condition.NOT_MODIFIED:
        return 304, headers, range(0)
    try:
        part = wanted_range(asked, facts)
    except RangeError as error:
        raise NoSuchRange(facts.size) from error
    status = 200
    if part is None:
        part = range(facts.size)
    else:
        status = 206
        covered = f"bytes {part.start}-{part.stop - 1}/{facts.size}"
        headers.append(("Content-Range", covered))
    headers += [
        ("Content-Type", media.content_type),
        ("Accept-Ranges", "bytes"),
        ("Content-Length", str(len(part))),
    ]
    return status, headers, part


def _body(environ: "WSGIEnvironment", file: BinaryIO, count: int) -> Iterable[bytes]:
    """Return an open file for the server to send a part of, and to close when it has, or cannot."""
    wrap = environ.get("wsgi.file_wrapper")
    if wrap is None:
        return _Pieces(file, count)
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


class _RenditionConverter(BaseConverter):
    regex = RENDITION


_refusals = Blueprint("delivery", __name__)
restrict_to(_refusals, Audience.ANYBODY)


def _add_routes(state: BlueprintSetupState) -> None:
    # Flask's own decorator takes a list of methods, and would answer all others with 405 before
    # anybody looked who is asking.
    state.app.url_map.converters["rendition"] = _RenditionConverter
    for name in NAMES:
        pattern = name.replace("<rendition>", "<rendition:rendition>")
        state.app.url_map.add(Rule(f"/stream/<video:video_id>/{pattern}", endpoint=_ENDPOINT))
    state.app.view_functions[_ENDPOINT] = _refuse


_refusals.record(_add_routes)


def _refuse(**_parts: str) -> NoReturn:
    error: Exception = request.environ[_REFUSAL]
    raise error


def stand_in_front(app: Flask, storage: MediaStorage, *, trust_gateway: bool) -> None:
    """Have requests for media answered by a gate in front of an app, which words the refusals.

    :param trust_gateway: take request ids over, as the app does.
    """
    app.register_blueprint(_refusals)
    gate = MediaGate(app, storage, trust_gateway=trust_gateway)
    app.wsgi_app = gate  # type: ignore[method-assign]
