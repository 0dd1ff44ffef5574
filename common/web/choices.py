"""What people choose for one browser, such as a language or a look: cookies that open nothing."""

from werkzeug.wrappers import Response

from common.web.auth import cookies_are_secure

_KEPT = 365 * 24 * 3600  # seconds


def keep_choice(response: Response, cookie: str, value: str) -> None:
    """Let the browser keep a choice for a year. An empty value forgets it."""
    if not value:
        response.delete_cookie(cookie)
        return
    response.set_cookie(
        cookie,
        value,
        max_age=_KEPT,
        httponly=True,
        samesite="Lax",
        secure=cookies_are_secure(),
    )
