"""What the routes share: what they take from a request, and put into an answer."""

from collections.abc import Callable

import structlog
from flask import make_response, request
from werkzeug.wrappers import Response as AnyResponse

from auth_service.devices import device_words
from auth_service.services import services
from auth_service.settings import AuthSettings
from auth_service.signing_in import Caller, Gate
from common.access import Viewer
from common.errors import MatineeError, Unprocessable
from common.web.auth import SECURE_SESSION_COOKIE, client_address, session_cookie
from common.web.error_handlers import wants_json
from db.models import Role

_COOKIE_AGE = 400 * 24 * 3600  # seconds; the most that browsers keep one

log = structlog.get_logger()


def settings() -> AuthSettings:
    """Return the settings of the app that is answering."""
    return services().settings


def gate() -> Gate:
    """Return what signing in takes."""
    found = services()
    return Gate(stores=found.stores, passwords=found.passwords, limits=found.limits)


def caller() -> Caller:
    """Return where the request came from."""
    return Caller(
        address=client_address(), device=device_words(request.headers.get("User-Agent", ""))
    )


def role_of(word: str) -> Role:
    """Return the role that a form names.

    :raises Unprocessable: there is no such role.
    """
    try:
        return Role(word)
    except ValueError as error:
        raise Unprocessable("That role is not known here.") from error


def again(error: MatineeError, page: Callable[[str], str]) -> AnyResponse:
    """Answer an error with the form that led to it, so that only the mistake is typed again.

    :param page: draws the form with the error's sentence.
    :raises MatineeError: the same, for a caller who wants JSON or when the fault is ours.
    """
    if wants_json() or error.status >= 500:
        raise error
    log.info("refused", status=error.status, why=type(error).__name__, sentence=str(error))
    response = make_response(page(error.sentence), error.status)
    response.headers.update(error.headers)
    return response


def set_session(response: AnyResponse, token: str) -> None:
    """Give the browser its session. No script can read the cookie, and no other site send it.

    The cookie outlives the session, whose end moves on with each use and is the store's to know.
    """
    name = session_cookie()
    response.set_cookie(
        name,
        token,
        max_age=_COOKIE_AGE,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=name == SECURE_SESSION_COOKIE,
    )


def clear_session(response: AnyResponse) -> None:
    """Take the cookie back."""
    name = session_cookie()
    secure = name == SECURE_SESSION_COOKIE
    response.delete_cookie(name, path="/", httponly=True, samesite="Lax", secure=secure)


def viewer_json(viewer: Viewer) -> dict[str, object]:
    """Return an account as scripts see it."""
    return {"id": viewer.id, "name": viewer.name, "role": viewer.role.value}
