"""`/internal/authorise`: the gateway asks whether somebody may have a media file.

The gateway asks about once a second for each viewer of each video, and this is all that the service
does for the bytes it does not send. So it stands in front of the Flask app, which would take
several times as long to route, trace and decorate an answer that nobody reads.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter
from redis.exceptions import RedisError

from common.errors import LoginRequired, NotFound
from common.ids import is_id
from common.media import media_of
from common.stores import Stores
from common.web.auth import FROM_OUTSIDE
from db.engine import DatabaseUnavailable
from streaming_service.playback import authorise, kept_as
from streaming_service.question import PATH

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_YES, _SIGNED_OUT, _NO, _AWAY = (
    "204 No Content",
    "401 Unauthorized",
    "403 Forbidden",
    "503 Service Unavailable",
)

log = structlog.get_logger()

_answers = Counter("matinee_authorisations_total", "Answers to the gateway", ["status"])
_counters = {status: _answers.labels(status[:3]) for status in (_YES, _SIGNED_OUT, _NO, _AWAY)}


class Gate:
    """Answers the gateway, and hands every other request on. It lets in `Callers.INSIDE` alone.

    Asked with the headers `X-Session-Token`, `X-Bearer` (a whole `Authorization` value, which
    counts before the session), `X-Video` and `X-Media-Name`, it answers 204 with the file's place
    under the volume's root in `X-Media-Path`, and for a download the `Content-Disposition` in
    `X-Media-Disposition`; 401: nobody is signed in; 403: not theirs or not there; 503: a store is
    away.

    :param app: what answers everything else, a request from outside included.
    """

    def __init__(self, app: "WSGIApplication", stores: Stores) -> None:
        self._app = app
        self._stores = stores

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO") != PATH or FROM_OUTSIDE in environ:
            return self._app(environ, start_response)
        status, headers = self._answer(environ)
        _counters[status].inc()
        if status != _YES:
            headers.append(("Content-Length", "0"))
        start_response(status, headers)
        return ()

    def _answer(self, environ: "WSGIEnvironment") -> tuple[str, list[tuple[str, str]]]:
        video_id: str = environ.get("HTTP_X_VIDEO", "")
        media = media_of(environ.get("HTTP_X_MEDIA_NAME", ""))
        if media is None or not is_id(video_id):
            return _NO, []
        headers = [("X-Media-Path", f"{video_id}/{media.place}")]
        try:
            authorise(self._stores, token=_token(environ), video_id=video_id, media=media)
            if media.is_download:
                name = kept_as(self._stores.database, video_id)
                headers.append(("X-Media-Disposition", name))
        except LoginRequired:
            return _SIGNED_OUT, []
        except NotFound:
            return _NO, []
        except (DatabaseUnavailable, RedisError) as error:
            request_id = environ.get("HTTP_X_REQUEST_ID")
            log.warning("store away", detail=str(error), request_id=request_id, path=PATH)
            return _AWAY, [("Retry-After", "2")]
        return _YES, headers


def _token(environ: "WSGIEnvironment") -> str | None:
    bearer: str = environ.get("HTTP_X_BEARER", "")
    if not bearer:
        return environ.get("HTTP_X_SESSION_TOKEN")
    scheme, _, token = bearer.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
