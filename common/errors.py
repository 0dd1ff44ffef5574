"""What is expected to go wrong, and the one place where it becomes an answer.

An expected error is an exception with a status and a sentence for people, defined beside the code
that raises it. It is logged as information. Anything else is a bug: logged with its trace, and
shown as a plain page with the request id.
"""

from typing import ClassVar

import structlog
from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request
from redis.exceptions import RedisError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from common.locations import login_url
from db.engine import DatabaseAway

log = structlog.get_logger()

_SENTENCES = {
    400: "The request could not be understood.",
    404: "There is nothing here, or it is not yours to see.",
    405: "This address does not take that kind of request.",
    408: "The request took too long to arrive. Try again.",
    413: "That is larger than this form takes.",
    415: "That kind of content is not taken here.",
    422: "The form is not filled in as it should be.",
}
_MEDIA = (".mp4", ".m3u8", ".jpg", ".vtt", "/download")
_BUSY = "Matinee cannot reach one of its stores. Nothing is lost; try again in a moment."
_OUR_FAULT = "Something went wrong on our side. Try again; if it stays, tell the administrator."


class MatineeError(Exception):
    """Something that is expected to go wrong.

    :param sentence: for people: what happened and what to do.
    """

    status: ClassVar[int] = 400

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.headers: dict[str, str] = {}


class NotThere(MatineeError):
    """Not there, or not yours: the answer must not tell which."""

    status = 404

    def __init__(self) -> None:
        super().__init__(_SENTENCES[404])


class SignInRequired(MatineeError):
    """Nobody is signed in. A page that can be fetched again becomes a redirect to the log-in."""

    status = 401

    def __init__(self) -> None:
        super().__init__("You are signed out. Sign in to go on.")


class Refused(MatineeError):
    """The caller is known, and may not do this."""

    status = 403


class Unprocessable(MatineeError):
    """The input was understood and is wrong; the sentence says what to change."""

    status = 422


class Conflict(MatineeError):
    """The input is fine by itself, and clashes with what is there."""

    status = 409


def wants_json() -> bool:
    """Tell whether this request is answered with JSON: scripts and media players, not pages."""
    path = request.path
    if path.startswith("/upload/files") and not path.endswith("/discard"):
        return True
    if path.startswith(("/api/", "/internal/")) or path.endswith(_MEDIA):
        return True
    accept = request.accept_mimetypes
    return accept["application/json"] > accept["text/html"]


def answer(status: int, sentence: str, *, our_fault: bool = False) -> Response:
    """Render an error as a page or as JSON. Never cached; the request id is shown if it is ours."""
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


def handle_errors(app: Flask) -> None:
    """Turn every exception that leaves a view of this app into an answer."""

    @app.errorhandler(MatineeError)
    def expected(error: MatineeError) -> AnyResponse:
        log.info("refused", status=error.status, why=type(error).__name__, sentence=str(error))
        is_page = request.method in ("GET", "HEAD") and not wants_json()
        if isinstance(error, SignInRequired) and is_page:
            return redirect(login_url(request.full_path.rstrip("?")), 303)
        response = answer(error.status, error.sentence, our_fault=error.status >= 500)
        response.headers.update(error.headers)
        return response

    @app.errorhandler(HTTPException)
    def standard(error: HTTPException) -> AnyResponse:
        status = error.code or 500
        if status < 400:
            return error.get_response()
        response = answer(status, _SENTENCES.get(status, error.name + "."))
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                response.headers[name] = value
        return response

    @app.errorhandler(DatabaseAway)
    @app.errorhandler(RedisError)
    def store_away(error: Exception) -> Response:
        log.warning("store away", store=type(error).__name__, detail=str(error))
        response = answer(503, _BUSY, our_fault=True)
        response.headers["Retry-After"] = "2"
        return response

    @app.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        log.exception("bug", detail=str(error))
        return answer(500, _OUR_FAULT, our_fault=True)
