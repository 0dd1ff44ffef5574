"""Titles: text for people, never part of a path."""

import re
import unicodedata

from db.models import FILE_NAME_LIMIT, TITLE_LIMIT

_NAMELESS = "Untitled"

# Control characters, halves of a pair, and what turns the direction of the text that follows.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")
_PATH = re.compile(r"[/\\]")
_EXTENSION = re.compile(r"(?<=.)\.[A-Za-z0-9]{1,5}$")


def clean_title(text: str) -> str:
    """Return a text as one line of at most 200 visible characters; it may come out empty."""
    line = " ".join(_UNWANTED.sub("", " ".join(text.split())).split())
    return unicodedata.normalize("NFC", line)[:TITLE_LIMIT].strip()


def clean_file_name(name: str) -> str:
    """Return the last part of a client's path as a line to show, of at most 255 characters."""
    line = " ".join(_UNWANTED.sub("", " ".join(_PATH.split(name)[-1].split())).split())
    return unicodedata.normalize("NFC", line)[:FILE_NAME_LIMIT].strip()


def title_of_file(name: str) -> str:
    """Make a title of a file's name: without folders, which some browsers send, and extension."""
    last = _PATH.split(name.rstrip("/\\"))[-1]
    return clean_title(_EXTENSION.sub("", last.strip())) or _NAMELESS
