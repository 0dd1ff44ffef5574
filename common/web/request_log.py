"""Gives every request an id, and logs it once it is answered.

The front server makes the id; every service takes it over, and every answer carries it. So one
search in the logs finds a request in all services.
"""

import re
import secrets
import time

import structlog
from flask import Flask, Response, g, request

_REQUEST_ID = re.compile(r"[0-9a-f]{32}")
# Tokens: of a share link, of an invitation, of a link that sets a password.
_SECRET_PATH = re.compile(r"^(/(?:s|invite|password)/).+")
_QUIET = ("/healthz", "/readyz", "/metrics", "/internal/")

log = structlog.get_logger()


def request_id(given: str = "") -> str:
    """Return the id of a request: the one that a gateway has given it, or a new one."""
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)


def install_request_log(app: Flask, *, trust_gateway: bool) -> None:
    """Give every request an id, log the request once it is answered, and return the id.

    :param trust_gateway: take the id over from `X-Request-Id`; a client's own is never taken.
    """

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-Id", "") if trust_gateway else ""
        g.request_id = request_id(given)
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id, service=app.name)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        write = log.debug if request.path.startswith(_QUIET) else log.info
        write(
            "request",
            method=request.method,
            path=_SECRET_PATH.sub(r"\1...", request.path),
            status=response.status_code,
            ms=round((time.perf_counter() - g.began) * 1000, 1),
        )
        return response
