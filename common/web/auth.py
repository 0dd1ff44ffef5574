"""The current user, and who may call a blueprint.

Every blueprint says who may call it, with :func:`restrict_to`, "anybody" included; a test fails on
one that does not. `common.access` decides what a user may do with a video.
"""

import enum
from contextlib import suppress

from flask import Blueprint, current_app, g, request
from redis.exceptions import RedisError

from common.access import Viewer, Watcher
from common.audit import Actor
from common.errors import Forbidden, LoginRequired
from common.stores.visits import visit_tokens
from common.translation import gettext
from common.web.services import stores

# The second is for HTTPS: browsers accept it over HTTPS only, and from no other host of the same
# domain (RFC 6265bis, 4.1.3.2).
SESSION_COOKIE = "matinee_session"
SECURE_SESSION_COOKIE = "__Host-matinee_session"
# The links that a browser has opened; see `common.stores.visits`.
VISIT_COOKIE = "matinee_visits"
SECURE_VISIT_COOKIE = "__Host-matinee_visits"


class Audience(enum.Enum):
    """Who may call the routes of a blueprint."""

    ANYBODY = "anybody"
    SIGNED_IN = "signed in"
    UPLOADERS = "uploaders"
    ADMINISTRATORS = "administrators"
    INSIDE = "inside"  # the front server and health checks; no front server routes these paths


def restrict_to(blueprint: Blueprint, callers: Audience) -> None:
    """Let only these callers reach the blueprint's routes."""

    @blueprint.before_request
    def check() -> None:
        if callers in (Audience.ANYBODY, Audience.INSIDE):
            return
        viewer = require_viewer()
        if callers is Audience.UPLOADERS and not viewer.may_upload:
            raise Forbidden(
                gettext("Your account may watch, and not upload. Ask the administrator.")
            )
        if callers is Audience.ADMINISTRATORS and not viewer.may_administer:
            raise Forbidden(gettext("This page is for the administrator."))


def session_token() -> str | None:
    """Return the session token of the request: of the bearer header, or else of the cookie."""
    authorization = request.authorization
    if authorization is not None and authorization.type == "bearer":
        return authorization.token
    return request.cookies.get(session_cookie())


def session_cookie() -> str:
    """Return the name of the session cookie: by the connection, or as `COOKIE_SECURE` sets it."""
    return SECURE_SESSION_COOKIE if cookies_are_secure() else SESSION_COOKIE


def visit_cookie() -> str:
    """Return the name of the cookie of visits, chosen as that of the session cookie."""
    return SECURE_VISIT_COOKIE if cookies_are_secure() else VISIT_COOKIE


def cookies_are_secure() -> bool:
    """Tell whether cookies are for HTTPS only."""
    return bool(current_app.config["SESSION_COOKIE_SECURE"] or request.is_secure)


def current_viewer() -> Viewer | None:
    """Return who is signed in, or None. Redis is asked once for each request.

    :raises redis.exceptions.RedisError: Redis does not answer; access must be denied.
    """
    if "viewer" not in g:
        sessions = stores().sessions
        token = session_token()
        g.viewer = sessions.find(token)
        if g.viewer is not None and token is not None:
            sessions.record_use(token, g.viewer, address=client_address())
    viewer: Viewer | None = g.viewer
    return viewer


def viewer_if_known() -> Viewer | None:
    """Return who is signed in; None also if Redis does not answer, so that an error page shows."""
    with suppress(RedisError):
        return current_viewer()
    return None


def current_watcher() -> Watcher:
    """Return who asks for a video: the viewer, if any, and the links this browser has opened.

    :raises redis.exceptions.RedisError: Redis does not answer; access must be denied.
    """
    tokens = visit_tokens(request.cookies.get(visit_cookie()))
    return Watcher(current_viewer(), links=stores().visits.links(tokens))


def current_actor() -> Actor:
    """Return who changes something, for the audit log."""
    return Actor(current_viewer(), client_address(), g.request_id)


def require_viewer() -> Viewer:
    """Return who is signed in.

    :raises LoginRequired: nobody is.
    """
    viewer = current_viewer()
    if viewer is None:
        raise LoginRequired
    return viewer


def client_address() -> str:
    """Return the client's address. No header of the client's changes it."""
    return request.remote_addr or "unknown"
