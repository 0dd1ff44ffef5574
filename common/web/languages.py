"""The language of each request: the account's, a cookie's, the browser's, or else the site's."""

from contextlib import suppress
from pathlib import Path

import flask_babel
from flask import Flask, has_request_context, request
from redis.exceptions import RedisError

from common.translation import LANGUAGES, Reader, gettext, use_readers
from common.web.auth import current_viewer
from common.web.services import stores
from db.engine import DatabaseUnavailable

LANGUAGE_COOKIE = "language"

# Compiled from `translations/` by `make build`.
_TRANSLATIONS = Path(__file__).parents[2] / "build" / "translations"


def install_languages(app: Flask) -> None:
    """Let an app answer in the reader's language; templates get `_`, `ngettext`, `translated`."""
    flask_babel.Babel(
        app,
        default_translation_directories=str(_TRANSLATIONS),
        locale_selector=request_language,
    )
    use_readers(_reader)
    # For sentences that are stored: their code marks them with `gettext_noop`.
    app.jinja_env.filters["translated"] = gettext
    app.jinja_env.globals.update(
        languages=LANGUAGES,
        page_language=request_language,
        text_direction=lambda: flask_babel.get_locale().text_direction,
    )

    @app.before_request
    def choose_language() -> None:
        # It is kept for the request. Later it may be asked for in a transaction, which runs in a
        # thread that cannot start another one.
        flask_babel.get_locale()


def request_language() -> str:
    """Return the language of the answer to this request, one of :data:`LANGUAGES`."""
    if not has_request_context():
        return "en"
    for chosen in (_account_language(), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen is not None and chosen in LANGUAGES:
            return chosen
    return request.accept_languages.best_match(LANGUAGES) or _site_language()


def _site_language() -> str:
    """Return the language for browsers that ask for none of those that are there."""
    with suppress(DatabaseUnavailable):
        return stores().site.current().language or "en"
    return "en"


def _account_language() -> str | None:
    """Return what the account has chosen; None also if Redis does not answer."""
    with suppress(RedisError):
        viewer = current_viewer()
        return viewer.language if viewer else None
    return None


def _reader() -> Reader:
    locale = flask_babel.get_locale()
    if locale is None:
        return Reader()
    return Reader(locale.language, flask_babel.get_translations())
