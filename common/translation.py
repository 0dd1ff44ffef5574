"""Sentences in the language of the person who reads them.

Code marks every sentence for people with the functions here; `make messages` collects them into
`translations/`. This module knows no web framework: `common.web.languages` tells it how to find
the language of a request. Outside requests, sentences are in English.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from gettext import NullTranslations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
}
"""The languages of the pages by code, with their own names. `translations/` has all but English."""

# Numbers and dates of English pages are written as in Britain: 4 November 2026.
_REGIONS = {"en": "en_GB"}


@dataclass(frozen=True)
class Reader:
    """The language of one reader.

    :ivar language: one of :data:`LANGUAGES`.
    """

    language: str = "en"
    translations: NullTranslations = field(default_factory=NullTranslations)

    @property
    def locale(self) -> "Locale":
        """How numbers, dates and lists are written in this language."""
        # Programs that only mark sentences, such as the probe's children, start sooner without it.
        from babel import Locale  # noqa: PLC0415

        return Locale.parse(_REGIONS.get(self.language, self.language))


_ENGLISH = Reader()
_find_reader: Callable[[], Reader] = lambda: _ENGLISH  # noqa: E731
_followed: ContextVar[Reader | None] = ContextVar("followed", default=None)


def use_readers(find_reader: Callable[[], Reader]) -> Callable[[], Reader]:
    """Set how this process finds the reader of the request that it answers; return what was set."""
    global _find_reader
    before, _find_reader = _find_reader, find_reader
    return before


@contextmanager
def speaking_to(reader: Reader) -> Iterator[None]:
    """Translate for a reader whose request is over, as for one who follows a stream."""
    before = _followed.set(reader)
    try:
        yield
    finally:
        _followed.reset(before)


def current_reader() -> Reader:
    """Return for whom sentences are translated now."""
    return _followed.get() or _find_reader()


def current_locale() -> "Locale":
    """Return the locale of the reader."""
    return current_reader().locale


def gettext(text: str, /, **values: object) -> str:
    """Translate a sentence for the reader.

    :param text: a literal string with places for values, such as `%(name)s`. With values, a
        percent sign is written `%%`.
    """
    # The empty text is that of a catalogue's own header.
    translated: str = current_reader().translations.gettext(text) if text else ""
    return translated % values if values else translated


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """Translate a sentence that depends on a number, which is its value `num`."""
    translated: str = current_reader().translations.ngettext(one, many, num)
    return translated % {"num": num, **values}


def gettext_noop(text: str) -> str:
    """Mark a sentence that is stored now and translated later, by :func:`gettext`."""
    return text
