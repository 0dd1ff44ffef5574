"""Protects against CSRF: refuses requests that another site makes a browser send.

The rule: `Sec-Fetch-Site` must be `same-origin` or `none`; without it, `Origin`'s host must equal
`Host`; with neither, the caller must not be a browser, which would have sent one. Ports and
subdomains count as other sites, hence one origin for all services. A browser never adds a bearer
token by itself, so a request with a bearer token and without our cookie passes.
"""

from urllib.parse import urlsplit

from flask import Flask, Request, request

from common.errors import Forbidden
from common.translation import gettext
from common.web.auth import SECURE_SESSION_COOKIE, SESSION_COOKIE

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_cross_site(incoming: Request) -> bool:
    """Tell whether a browser may have sent this request on another site's behalf."""
    bearer = incoming.authorization is not None and incoming.authorization.type == "bearer"
    if bearer and not incoming.cookies.keys() & {SESSION_COOKIE, SECURE_SESSION_COOKIE}:
        return False
    site = incoming.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = incoming.headers.get("Origin")
    if origin is not None:
        return urlsplit(origin).netloc != incoming.host
    return incoming.headers.get("User-Agent", "").startswith("Mozilla/")


def install_csrf_check(app: Flask) -> None:
    """Check every request to this app that could change something."""

    @app.before_request
    def check() -> None:
        if request.method not in _SAFE and is_cross_site(request):
            raise Forbidden(gettext("This request came from another site, so nothing was changed."))
