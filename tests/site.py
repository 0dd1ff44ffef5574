"""The whole site in one process: routes requests to the three apps as a front server does.

For a media file it asks the streaming app's `/internal/authorise`, and sends the file itself.
Inside addresses lead nowhere. What the real front servers do has tests of its own.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.test import Client
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from common.ids import PATTERN
from common.web.auth import SESSION_COOKIE, VISIT_COOKIE
from streaming_service.delivery.auth_request import PATH
from streaming_service.delivery.files import media_file

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ROUTES = {
    "upload": "upload",
    "stream": "streaming",
    "s": "streaming",
    "embed": "streaming",
    "oembed": "streaming",
    "collections": "streaming",
    "account/links": "streaming",
    **{
        f"api/{name}": "streaming"
        for name in ("videos", "grants", "links", "collections", "bin", "audit", "users")
    },
    "api/uploads": "upload",
}
# Where the second part of an address decides too.
_PAIRED = ("api", "account")
_INSIDE = re.compile(r"/(healthz|readyz|metrics|internal/.*)")
_MEDIA = re.compile(rf"/stream/({PATTERN})/(.+)")
# As the front servers have them.
MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt; charset=utf-8",
}
_DOWNLOAD = "application/octet-stream"
_MEDIA_HEADERS = {
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def in_one_process(
    apps: Mapping[str, Flask], *, videos_dir: Path, static_dir: Path
) -> "WSGIApplication":
    """Return the app that stands for a front server.

    :param apps: `auth`, `upload` and `streaming`.
    """

    def dispatch(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if _INSIDE.fullmatch(path):
            return apps["auth"](environ | {"PATH_INFO": f"/hidden{path}"}, start_response)
        match = _MEDIA.fullmatch(path)
        media = media_file(match[2]) if match else None
        if match is not None and media is not None:
            request = Request(environ)
            answer = _answer_media(apps["streaming"], videos_dir, request, match[1], match[2])
            return answer(environ, start_response)
        parts = path.split("/")
        name = "/".join(parts[1:3] if parts[1] in _PAIRED else parts[1:2])
        return apps[_ROUTES.get(name, "auth")](environ, start_response)

    fixed = {f"/{name}": str(static_dir / name) for name in ("sw.js", "favicon.ico", "robots.txt")}
    static = SharedDataMiddleware(dispatch, {"/static": str(static_dir)}, cache_timeout=365 * 86400)
    return SharedDataMiddleware(static, fixed, cache=False)


def _answer_media(
    streaming: Flask, videos_dir: Path, request: Request, video_id: str, name: str
) -> Response:
    verdict = Client(streaming, use_cookies=False).get(
        PATH,
        headers={
            "X-Video": video_id,
            "X-Media-Name": name,
            "X-Session-Token": request.cookies.get(SESSION_COOKIE, ""),
            "X-Bearer": request.headers.get("Authorization", ""),
            "X-Visits": request.cookies.get(VISIT_COOKIE, ""),
        },
    )
    if verdict.status_code != 204:
        return _error(404 if verdict.status_code == 403 else verdict.status_code)
    if request.method not in ("GET", "HEAD"):
        return _error(405)
    file = videos_dir / verdict.headers["X-Media-Path"]
    if not file.is_file():
        return _error(404)
    answer = send_file(
        file,
        request.environ,
        mimetype=MEDIA_TYPES.get(Path(name).suffix, _DOWNLOAD),
        conditional=True,
    )
    answer.headers.update(_MEDIA_HEADERS)
    if "X-Media-Disposition" in verdict.headers:
        answer.headers["Content-Disposition"] = verdict.headers["X-Media-Disposition"]
    return answer


def _error(status: int) -> Response:
    return Response('{"error": "Not this."}', status, mimetype="application/json")
