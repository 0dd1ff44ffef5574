"""The language of each request: the account's, a cookie's, the browser's, or else the site's."""

import functools
from pathlib import Path

import flask_babel
from babel.support import Translations
from flask import Flask, has_request_context, request

from common.translation import LANGUAGES, Reader, gettext, use_readers
from common.web.auth import viewer_if_known
from common.web.services import stores

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
    viewer = viewer_if_known()
    of_account = viewer.language if viewer else None
    for chosen in (of_account, request.cookies.get(LANGUAGE_COOKIE)):
        if chosen is not None and chosen in LANGUAGES:
            return chosen
    of_browser = request.accept_languages.best_match(LANGUAGES)
    return of_browser or stores().site.current_if_known().language or "en"


def _reader() -> Reader:
    locale = flask_babel.get_locale()
    return Reader() if locale is None else _reader_of(locale.language)


def _choose_plural(one: str, many: str, num: int) -> str:
    sentence: str = _reader().translations.ngettext(one, many, num)
    return sentence


@functools.cache
def _reader_of(language: str) -> Reader:
    return Reader(language, Translations.load(_TRANSLATIONS, [language]))
