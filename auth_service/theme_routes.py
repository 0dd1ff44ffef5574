"""The choice between the light and the dark look.

POST  /account/theme    theme: "light", "dark", or nothing, which is as the device has it

It is kept in a cookie, since it is for this browser.
"""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from common.errors import Unprocessable
from common.translation import gettext
from common.web.auth import Audience, cookies_are_secure, restrict_to
from common.web.forms import form_fields
from common.web.templating import THEME_COOKIE, THEMES

_COOKIE_AGE = 400 * 24 * 3600  # seconds; the most that browsers keep one

blueprint = Blueprint("theme", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.post("/account/theme")
def choose() -> Response:
    """Choose the look of all pages in this browser."""
    theme = form_fields("theme")["theme"]
    if theme not in ("", *THEMES):
        raise Unprocessable(gettext("That choice is not known here."))
    response = redirect("/account?done=theme", 303)
    if theme:
        response.set_cookie(
            THEME_COOKIE,
            theme,
            max_age=_COOKIE_AGE,
            httponly=True,
            samesite="Lax",
            secure=cookies_are_secure(),
        )
    else:
        response.delete_cookie(THEME_COOKIE)
    return response
