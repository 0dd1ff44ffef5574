"""Addresses within the site. All are relative: the same URLs work on every port and host."""

import re
from urllib.parse import quote

# A path on this site: one slash, then neither a slash nor a backslash, which browsers also take
# for one, so that `//elsewhere` and `/\elsewhere` are out; no control characters, no scheme.
_SAME_SITE = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def same_site_path(value: str | None, *, default: str) -> str:
    """Return a path to go on to, or the default for anything that could lead elsewhere."""
    return value if value and len(value) <= 2000 and _SAME_SITE.fullmatch(value) else default


def login_url(next_path: str) -> str:
    """Return the log-in page's address, which leads on to a path of this site afterwards."""
    return f"/login?next={quote(next_path, safe='/')}"


def watch_url(video_id: str) -> str:
    """Return the address of a video's watch page."""
    return f"/stream/{video_id}"
