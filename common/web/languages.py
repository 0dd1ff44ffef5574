"""The language of each request: the account's, a cookie's, the browser's, or else the site's."""

import functools
from contextlib import suppress
from pathlib import Path

import flask_babel
from babel.support import Translations
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
    flask_babel.Babel(app, locale_selector=request_language)
    use_readers(_reader)
    # A page has dozens of sentences, and for each of them Flask-Babel would look the language up
    # in several places.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, _choose_plural, newstyle=True
    )
    app.jinja_env.globals["_"] = app.jinja_env.globals["gettext"]
    # For sentences that are stored: their code marks them with `gettext_noop`.
    app.jinja_env.filters["translated"] = gettext
    app.jinja_env.globals.update(
        languages=LANGUAGES,
        page_language=lambda: _reader().language,
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
    return Reader() if locale is None else _reader_of(locale.language)


def _choose_plural(one: str, many: str, num: int) -> str:
    sentence: str = _reader().translations.ngettext(one, many, num)
    return sentence


@functools.cache
def _reader_of(language: str) -> Reader:
    return Reader(language, Translations.load(_TRANSLATIONS, [language]))
