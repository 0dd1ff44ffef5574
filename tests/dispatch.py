"""All services in one process: what a front server does, for tests without a network."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.middleware.shared_data import SharedDataMiddleware

from common.web.auth import FROM_OUTSIDE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The first part of the path decides. Whatever is not listed is answered by auth.
_ROUTES = {
    "upload": "upload",
    "stream": "streaming",
    "api/videos": "streaming",
    "api/uploads": "upload",
}


def one_origin(apps: Mapping[str, "WSGIApplication"], *, static_dir: Path) -> "WSGIApplication":
    """Return the app that hands each request to one of the services, and serves static files.

    :param apps: `auth`, `upload` and `streaming`.
    """

    def dispatch(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        parts = environ.get("PATH_INFO", "/").split("/")
        name = "/".join(parts[1:3] if parts[1:2] == ["api"] else parts[1:2])
        environ[FROM_OUTSIDE] = True
        return apps[_ROUTES.get(name, "auth")](environ, start_response)

    return SharedDataMiddleware(dispatch, {"/static": str(static_dir)}, cache_timeout=365 * 86400)
