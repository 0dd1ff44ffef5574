"""Turns exceptions into answers: the one place where errors are rendered, as a page or as JSON.

An expected error (`common.errors`) is logged as information. Any other exception is a bug: it is
logged with its traceback, and the answer shows the request id.
"""

import structlog
from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request
from redis.exceptions import RedisError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from common.errors import LoginRequired, MatineeError, NotFound
from common.translation import gettext, gettext_noop
from common.web.urls import login_url
from db.engine import DatabaseUnavailable

log = structlog.get_logger()

_SENTENCES = {
    400: gettext_noop("The request could not be understood."),
    404: NotFound.sentence,
    405: gettext_noop("This address does not take that kind of request."),
    408: gettext_noop("The request took too long to arrive. Try again."),
    413: gettext_noop("That is larger than this form takes."),
    415: gettext_noop("That kind of content is not taken here."),
    422: gettext_noop("The form is not filled in as it should be."),
}
_MEDIA = (".mp4", ".m3u8", ".jpg", ".vtt", "/download")
_UNAVAILABLE = gettext_noop(
    "Matinee cannot reach its database. Nothing is lost; try again in a moment."
)
_BUG = gettext_noop(
    "Something went wrong on our side. Try again; if it happens again, tell the administrator."
)


def wants_json() -> bool:
    """Tell whether this request is answered with JSON, as scripts and players expect."""
    path = request.path
    if path.startswith("/upload/files") and not path.endswith("/discard"):
        return True
    if path.startswith(("/api/", "/internal/")) or path.endswith(_MEDIA):
        return True
    accept = request.accept_mimetypes
    return accept["application/json"] > accept["text/html"]


def render_error(status: int, sentence: str, *, our_fault: bool = False) -> Response:
    """Render an error as a page or as JSON, never cached.

    :param our_fault: show the request id, by which the error is found in the log.
    """
    request_id = g.request_id if our_fault else None
    if wants_json():
        body = {"error": sentence} | ({"request_id": request_id} if request_id else {})
        response = make_response(jsonify(body), status)
    else:
        page = render_template(
            "error.html", status=status, sentence=sentence, request_id=request_id
        )
        response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def install_error_handlers(app: Flask) -> None:
    """Turn every exception that a view of this app raises into an answer."""

    @app.errorhandler(MatineeError)
    def expected(error: MatineeError) -> AnyResponse:
        log.info("refused", status=error.status, why=type(error).__name__, sentence=str(error))
        is_page = request.method in ("GET", "HEAD") and not wants_json()
        if isinstance(error, LoginRequired) and is_page:
            return redirect(login_url(request.full_path.rstrip("?")), 303)
        response = render_error(error.status, error.sentence, our_fault=error.status >= 500)
        response.headers.update(error.headers)
        return response

    @app.errorhandler(HTTPException)
    def standard(error: HTTPException) -> AnyResponse:
        status = error.code or 500
        if status < 400:
            return error.get_response()
        response = render_error(status, gettext(_SENTENCES.get(status, error.name + ".")))
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                response.headers[name] = value
        return response

    @app.errorhandler(DatabaseUnavailable)
    @app.errorhandler(RedisError)
    def store_unavailable(error: Exception) -> Response:
        log.warning("store unavailable", store=type(error).__name__, detail=str(error))
        response = render_error(503, gettext(_UNAVAILABLE), our_fault=True)
        response.headers["Retry-After"] = "2"
        return response

    @app.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        log.exception("bug", detail=str(error))
        return render_error(500, gettext(_BUG), our_fault=True)
