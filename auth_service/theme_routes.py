"""The choice between the light and the dark look.

POST  /account/theme    theme: "light", "dark", or nothing, which is as the device has it

It is kept in a cookie, since it is for this browser.
"""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from common.errors import Unprocessable
from common.translation import gettext
from common.web.auth import Audience, restrict_to
from common.web.choices import keep_choice
from common.web.forms import form_fields
from common.web.templating import THEME_COOKIE, THEMES

blueprint = Blueprint("theme", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.post("/account/theme")
def choose() -> Response:
    """Choose the look of all pages in this browser."""
    theme = form_fields("theme")["theme"]
    if theme not in ("", *THEMES):
        raise Unprocessable(gettext("That choice is not known here."))
    response = redirect("/account?done=theme", 303)
    keep_choice(response, THEME_COOKIE, theme)
    return response
