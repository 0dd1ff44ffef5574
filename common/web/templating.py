"""What every page shares: templates, front-end files by their hashed names, security headers."""

import json
from pathlib import Path
from zlib import crc32

from flask import Flask, Response, request
from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup

from common.formatting import ago, clock, date, date_and_time, filesize, spoken_clock, whole_number
from common.received_grants import count_unseen
from common.site_settings import logo_url
from common.web.auth import current_viewer, viewer_if_known
from common.web.services import stores
from db.engine import DatabaseUnavailable

THEME_COOKIE = "theme"
THEMES = ("light", "dark")
AVATAR_HUES = 8


def hue(name: str) -> int:
    """Return which of the avatar's colours belongs to a name, from 0 to `AVATAR_HUES` - 1."""
    return crc32(name.casefold().encode()) % AVATAR_HUES


def content_policy(*, frame_ancestors: str = "'none'", media_origins: str = "") -> str:
    """Return the Content-Security-Policy of a page.

    :param frame_ancestors: the sites that may show it in a frame.
    :param media_origins: origins that its player may get video from, besides this site.
    """
    here = f"'self' {media_origins}".rstrip()
    return "; ".join(
        [
            "default-src 'none'",
            *(f"{kind}-src 'self'" for kind in ("script", "style", "font", "worker")),
            f"connect-src {here}",
            "img-src 'self' data:",
            f"media-src {here} blob:",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {frame_ancestors}",
        ]
    )


_ICON = Markup(
    '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>'
)
_HEADERS = {
    "Content-Security-Policy": content_policy(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # With `no-referrer` a form would send `Origin: null`, which the CSRF check refuses.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def install_templating(app: Flask, *, static_dir: Path) -> None:
    """Give an app the shared templates, their helpers, and security headers.

    :param static_dir: holds `manifest.json` of the front-end build.
    """
    common_templates = FileSystemLoader(Path(__file__).parent / "templates")
    own = app.jinja_loader
    app.jinja_loader = ChoiceLoader([own, common_templates] if own else [common_templates])
    names: dict[str, str] = json.loads((static_dir / "manifest.json").read_text(encoding="utf-8"))

    def asset(name: str) -> str:
        return f"/static/{names[name]}"

    def icon(name: str) -> Markup:
        return _ICON.format(asset("icons.svg"), name)

    for helper in (asset, icon, unseen_shares, page_theme, default_visibility):
        app.add_template_global(helper)
    for form in (filesize, clock, spoken_clock, date, date_and_time, ago, hue, whole_number):
        app.add_template_filter(form)
    app.context_processor(_page_context)
    app.after_request(_add_headers)


def _page_context() -> dict[str, object]:
    site = stores().site.current_if_known()
    return {
        "viewer": viewer_if_known(),
        "site_name": site.name,
        "site_logo_url": logo_url(site),
    }


def default_visibility() -> str:
    """Return who can watch new videos, unless somebody chooses otherwise."""
    return stores().site.current().visibility.value


def page_theme() -> str:
    """Return the look that was chosen in this browser; empty: that of the device."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


def unseen_shares() -> int:
    """Return what the header shows beside "Shared": 0 also if the database does not answer."""
    viewer = current_viewer()
    try:
        return 0 if viewer is None else count_unseen(stores().database, viewer)
    except DatabaseUnavailable:
        return 0


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    # A personal page must not come back from the browser's cache after logout.
    response.headers.setdefault("Cache-Control", "no-store")
    return response
