"""`GET /internal/authorise`: the front server asks whether a request may have a media file.

nginx asks with `auth_request`, Caddy with `forward_auth`. This is a WSGI middleware in front of the
Flask app: routing, logging and decorating an answer that nobody reads would take several times as
long as the decision.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter
from redis.exceptions import RedisError

from common.errors import LoginRequired, NotFound
from common.ids import is_id
from common.stores import Stores
from common.stores.visits import visit_tokens
from db.engine import DatabaseUnavailable
from streaming_service.delivery.authorise import authorise, download_disposition
from streaming_service.delivery.cdn import CdnUrls
from streaming_service.delivery.files import media_file

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from streaming_service.delivery.presigned import PresignedUrls

PATH = "/internal/authorise"

_GRANTED = "204 No Content"
_SIGNED_OUT = "401 Unauthorized"
_FORBIDDEN = "403 Forbidden"
_UNAVAILABLE = "503 Service Unavailable"

log = structlog.get_logger()

_answers = Counter(
    "matinee_authorisations_total", "Answers to the front server, by status", ["status"]
)
_counters = {
    status: _answers.labels(status[:3])
    for status in (_GRANTED, _SIGNED_OUT, _FORBIDDEN, _UNAVAILABLE)
}

Answer = tuple[str, list[tuple[str, str]]]


class AuthRequestMiddleware:
    """Answers the front server's question, and passes every other request on to the app.

    A request carries `X-Session-Token`, `X-Bearer` (a whole `Authorization` value, which takes
    precedence over the session), `X-Visits`, `X-Video` and `X-Media-Name`.

    - 204: granted. `X-Media-Path` is the file's path below the root of the videos. For a file in
      the object store, instead, `X-Media-Key` is its key, and `X-Media-Url` the path and query with
      which to read it; or `X-Media-Redirect` is its address at the CDN. For a download
      `X-Media-Disposition` is its `Content-Disposition`.
    - 401: nobody is signed in, and the video is not public.
    - 403: the video is not there, or not for this viewer.
    - 503: Redis or the database does not answer.

    No front server routes this path from outside.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        stores: Stores,
        urls: "PresignedUrls | None" = None,
        cdn: CdnUrls | None = None,
    ) -> None:
        self._app = app
        self._stores = stores
        self._urls = urls
        self._cdn = cdn

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO") != PATH:
            return self._app(environ, start_response)
        status, headers = self._answer(environ)
        _counters[status].inc()
        if status != _GRANTED:
            headers.append(("Content-Length", "0"))
        start_response(status, headers)
        return ()

    def _answer(self, environ: "WSGIEnvironment") -> Answer:
        video_id: str = environ.get("HTTP_X_VIDEO", "")
        media = media_file(environ.get("HTTP_X_MEDIA_NAME", ""))
        if media is None or not is_id(video_id):
            return _FORBIDDEN, []
        try:
            key = authorise(
                self._stores,
                token=_token(environ),
                visits=visit_tokens(environ.get("HTTP_X_VISITS")),
                video_id=video_id,
                media=media,
            )
            if key is None:
                headers = [("X-Media-Path", f"{video_id}/{media.path}")]
            elif self._cdn is not None and media.is_segmented:
                headers = [("X-Media-Redirect", self._cdn.url_of(key))]
            elif self._urls is not None:
                headers = [("X-Media-Key", key), ("X-Media-Url", self._urls.path_of(key))]
            else:
                log.error("a file is in an object store that no setting names", key=key)
                return _UNAVAILABLE, [("Retry-After", "60")]
            if media.is_download:
                disposition = download_disposition(self._stores.database, video_id)
                headers.append(("X-Media-Disposition", disposition))
        except LoginRequired:
            return _SIGNED_OUT, []
        except NotFound:
            return _FORBIDDEN, []
        except (DatabaseUnavailable, RedisError) as error:
            request_id = environ.get("HTTP_X_REQUEST_ID")
            log.warning("store away", detail=str(error), request_id=request_id, path=PATH)
            return _UNAVAILABLE, [("Retry-After", "2")]
        return _GRANTED, headers


def _token(environ: "WSGIEnvironment") -> str | None:
    bearer: str = environ.get("HTTP_X_BEARER", "")
    if not bearer:
        return environ.get("HTTP_X_SESSION_TOKEN")
    scheme, _, token = bearer.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
