"""What a phone needs to keep the site on its home screen: a web app manifest.

GET  /webapp?language=    language: that of the page; browsers ask without cookies

https://www.w3.org/TR/appmanifest/
"""

import json
from collections.abc import Callable
from typing import cast

import flask_babel
from flask import Blueprint, Response, current_app, request

from common.translation import LANGUAGES, gettext
from common.web.auth import Audience, restrict_to
from common.web.services import stores

blueprint = Blueprint("webapp", __name__)
restrict_to(blueprint, Audience.ANYBODY)

_DARK = "#0e1014"
_TYPES = ["video/*", ".mp4", ".mov", ".mkv", ".webm"]
_MAX_AGE = 3600  # seconds until a new name of the site is seen


@blueprint.get("/webapp")
def describe() -> Response:
    """Describe the site as an app, under its own name."""
    language = request.args.get("language", "")
    with flask_babel.force_locale(language if language in LANGUAGES else "en"):
        text = json.dumps(_description(stores().site.current_if_known().name))
    response = Response(text, mimetype="application/manifest+json")
    response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE}"
    return response


def _description(name: str) -> dict[str, object]:
    asset = cast("Callable[[str], str]", current_app.jinja_env.globals["asset"])
    png = {"type": "image/png"}
    shortcut = {"icons": [{"src": asset("touch-icon.png"), "sizes": "180x180", **png}]}
    return {
        "id": "/",
        "name": name,
        "short_name": name,
        "start_url": "/stream",
        "scope": "/",
        "display": "standalone",
        "background_color": _DARK,
        "theme_color": _DARK,
        # The share menu of a phone; the names are those of the upload form.
        "share_target": {
            "action": "/upload/share",
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"title": "title", "files": [{"name": "file", "accept": _TYPES}]},
        },
        "icons": [
            {"src": asset("favicon.svg"), "sizes": "any", "type": "image/svg+xml"},
            {"src": asset("icon-192.png"), "sizes": "192x192", **png},
            {"src": asset("icon-512.png"), "sizes": "512x512", **png},
            {"src": asset("maskable-512.png"), "sizes": "512x512", "purpose": "maskable", **png},
        ],
        "shortcuts": [
            {"name": gettext("Library"), "url": "/stream", **shortcut},
            {"name": gettext("Upload"), "url": "/upload", **shortcut},
            {"name": gettext("Shared with me"), "url": "/stream/shared", **shortcut},
        ],
    }
