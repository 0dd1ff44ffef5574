"""What every page shares: templates, front-end files by their hashed names, words for numbers."""

import json
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response
from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup

from common.callers import current_viewer
from common.errors import MatineeError

_POLICY = "; ".join(
    [
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "connect", "font", "worker")),
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
_ICON = Markup(
    '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>'
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # With `no-referrer` a form would send `Origin: null`, and the cross-site check refuse it.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def prepare_pages(app: Flask, *, static_dir: Path) -> None:
    """Give an app the shared templates, their helpers, and the headers of a careful site.

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

    app.jinja_env.globals.update(asset=asset, icon=icon)
    app.jinja_env.filters.update(
        filesize=filesize, clock=clock, spoken_clock=spoken_clock, date=date, ago=ago
    )
    app.context_processor(lambda: {"viewer": _viewer_for_page()})
    app.after_request(_add_headers)


def _viewer_for_page() -> object | None:
    """An error page is drawn even when the session store, which is the error, is away."""
    try:
        return current_viewer()
    except Exception as error:
        if isinstance(error, MatineeError):
            raise
        return None


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    # A page of somebody's must not come back from the cache after they have signed out.
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def filesize(count: int) -> str:
    """Say a number of bytes as people do: `12.3 MB`, in powers of ten as systems show disks.

    `frontend/src/js/format.js` writes it alike.
    """
    if count < 1000:
        return _counted(count, "byte")
    size, units = float(count), ["kB", "MB", "GB", "TB"]
    while (size := size / 1000) >= 999.95 and len(units) > 1:
        units.pop(0)
    return f"{size:.1f}".removesuffix(".0") + f" {units[0]}"


def clock(duration_ms: int) -> str:
    """Write a duration as players do: `1:02:03`, `3:05`."""
    minutes, seconds = divmod(round(duration_ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def spoken_clock(duration_ms: int) -> str:
    """Write a duration for a screen reader: `1 hour 2 minutes 3 seconds`."""
    minutes, seconds = divmod(round(duration_ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        _counted(count, word)
        for count, word in ((hours, "hour"), (minutes, "minute"), (seconds, "second"))
        if count
    ]
    return " ".join(parts) or "0 seconds"


def date(moment: datetime) -> str:
    """Write a day: `14 November 2026`."""
    return f"{moment.day} {moment:%B %Y}"


def ago(moment: datetime) -> str:
    """Say how long ago something was: `just now`, `3 minutes ago`, `5 days ago`."""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for length, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return f"{_counted(int(seconds // length), word)} ago"
    return "just now"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
