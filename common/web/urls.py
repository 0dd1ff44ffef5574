"""Addresses within the site. All are relative: the same URLs work on every port and host."""

import re
from urllib.parse import quote

# A path on this site: one slash, then neither a slash nor a backslash, which browsers treat as a
# slash. So `//elsewhere` and `/\elsewhere` do not match; nor do control characters or a scheme.
_SAME_SITE = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def same_site_path(value: str | None, *, default: str) -> str:
    """Return a path to redirect to, or the default for anything that could lead to another site."""
    return value if value and len(value) <= 2000 and _SAME_SITE.fullmatch(value) else default


def login_url(next_path: str) -> str:
    """Return the login page's URL, which redirects to a path of this site afterwards."""
    return f"/login?next={quote(next_path, safe='/')}"


def watch_url(video_id: str) -> str:
    """Return the URL of a video's watch page."""
    return f"/stream/{video_id}"


def poster_url(video_id: str, version: int) -> str:
    """Return the URL of a video's poster.

    :param version: counts the posters that were chosen, so that caches follow.
    """
    return f"{watch_url(video_id)}/poster.jpg" + (f"?v={version}" if version else "")
