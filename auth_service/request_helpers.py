"""What the routes share: reading requests, and the session cookie of answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from flask import g, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from auth_service.login import ClientInfo
from auth_service.services import services
from auth_service.tokens import NewAddress
from auth_service.user_agents import describe_user_agent
from common.errors import MatineeError, NotFound, Unprocessable
from common.translation import gettext
from common.web.auth import SECURE_SESSION_COOKIE, client_address, session_cookie
from common.web.error_handlers import wants_json
from db.models import GroupRole, Role

LIBRARY = "/stream"  # where people go once they are signed in

_COOKIE_AGE = 400 * 24 * 3600  # seconds; the most that browsers keep one

log = structlog.get_logger()


def client_info() -> ClientInfo:
    """Return where the request came from."""
    return ClientInfo(
        address=client_address(),
        device=describe_user_agent(request.headers.get("User-Agent", "")),
        request_id=g.request_id,
    )


def parse_role(word: str) -> Role:
    """Return the role that a form names.

    :raises Unprocessable: there is no such role.
    """
    try:
        return Role(word)
    except ValueError as error:
        raise Unprocessable(gettext("That role is not known here.")) from error


def parse_group_role(word: str) -> GroupRole:
    """Return the role in a group that a form or the API names.

    :raises Unprocessable: there is no such role.
    """
    try:
        return GroupRole(word)
    except ValueError as error:
        raise Unprocessable(gettext("The role in a group is member or manager.")) from error


def rerender_with_error(
    error: MatineeError, page: Callable[..., str], **options: str
) -> AnyResponse:
    """Answer an error with the form that caused it, filled in as it was sent.

    :param page: renders the form with the error's sentence, `error`, and these options.
    :raises MatineeError: the same error, if the client wants JSON, what the form is about is not
        there, or the error is a server error.
    """
    if wants_json() or isinstance(error, NotFound) or error.status >= 500:
        raise error
    log.info("refused", status=error.status, why=type(error).__name__, sentence=str(error))
    response = make_response(page(error=error.sentence, **options), error.status)
    response.headers.update(error.headers)
    return response


def begin_browser_session(token: str, *, next_path: str = LIBRARY) -> AnyResponse:
    """Redirect with a new session cookie; the session that the browser had before ends.

    No script can read the cookie, and no other site can send it. It lives longer than the session,
    whose expiry each use extends in the store.
    """
    services().stores.sessions.end(request.cookies.get(session_cookie()))
    response = redirect(next_path, 303)
    response.set_cookie(session_cookie(), token, max_age=_COOKIE_AGE, **_cookie_attributes())
    return response


def clear_session(response: AnyResponse) -> None:
    """Delete the session cookie."""
    response.delete_cookie(session_cookie(), **_cookie_attributes())


def _cookie_attributes() -> dict[str, Any]:
    secure = session_cookie() == SECURE_SESSION_COOKIE
    return {"path": "/", "httponly": True, "samesite": "Lax", "secure": secure}


@contextmanager
def limited_tokens(token: str, unknown: type[MatineeError]) -> Iterator[None]:
    """Look for a token, and count one that is unknown as a wrong password is counted.

    :param unknown: what the search raises for a token that nobody has.
    :raises RateLimited: too many unknown tokens came from this network.
    """
    limits, address = services().token_limits, client_address()
    limits.check(token, address=address)
    try:
        yield
    except unknown:
        limits.record_wrong(token, address=address)
        raise


def keep_token_private(response: AnyResponse) -> AnyResponse:
    """Keep an address with a token out of caches, search engines and the `Referer` header.

    With `no-referrer` a browser would send `Origin: null` with the form, which is refused.
    """
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cache-Control"] = "no-store"
    return response


def new_address(path: str) -> NewAddress:
    """Return an address on the host under which the site was opened."""
    return NewAddress(f"{request.host_url.rstrip('/')}{path}")
