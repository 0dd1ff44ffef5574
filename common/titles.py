"""Titles and other single lines of text: shown to people, never part of a path."""

import re
import unicodedata

from db.models import TITLE_LIMIT

# Control characters, unpaired surrogates, byte order marks, and marks that change the direction of
# the text after them.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")


def clean_line(text: str) -> str:
    """Return a text as one line in NFC, with single blanks between words; it may come out empty."""
    line = " ".join(_UNWANTED.sub("", " ".join(text.split())).split())
    return unicodedata.normalize("NFC", line)


def clean_title(text: str) -> str:
    """Return a title as one line of at most 200 visible characters; it may come out empty."""
    return clean_line(text)[:TITLE_LIMIT].strip()
