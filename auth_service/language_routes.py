"""The choice of a language.

POST  /language    language, back

It sets a cookie, which also holds on pages that are seen signed out, and the account's language if
somebody is signed in. An empty language is that of the browser.
"""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from auth_service.accounts import change_language
from common.errors import Unprocessable
from common.translation import LANGUAGES, gettext
from common.web.auth import Audience, current_viewer, restrict_to
from common.web.choices import keep_choice
from common.web.forms import form_fields
from common.web.languages import LANGUAGE_COOKIE
from common.web.services import stores
from common.web.urls import same_site_path

blueprint = Blueprint("language", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.post("/language")
def choose() -> Response:
    """Choose the language of all pages, and go back to the page of the form."""
    form = form_fields("language", optional=("back",))
    language = form["language"]
    if language and language not in LANGUAGES:
        raise Unprocessable(gettext("This site does not have that language."))
    viewer = current_viewer()
    if viewer:
        change_language(
            stores().database, stores().sessions, user_id=viewer.id, language=language or None
        )
    response = redirect(same_site_path(form["back"], default="/"), 303)
    keep_choice(response, LANGUAGE_COOKIE, language)
    return response
