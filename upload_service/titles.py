"""Titles and names of files, as clients send them: text for people, never part of a path."""

import re

from common.titles import clean_line, clean_title
from db.models import FILE_NAME_LIMIT

_NAMELESS = "Untitled"

_PATH = re.compile(r"[/\\]")
_EXTENSION = re.compile(r"(?<=.)\.[A-Za-z0-9]{1,5}$")


def clean_file_name(name: str) -> str:
    """Return the last part of a client's path as a line to show, of at most 255 characters."""
    return clean_line(_PATH.split(name)[-1])[:FILE_NAME_LIMIT].strip()


def title_of_file(name: str) -> str:
    """Make a title of a file's name: without folders, which some browsers send, and extension."""
    last = _PATH.split(name.rstrip("/\\"))[-1]
    return clean_title(_EXTENSION.sub("", last.strip())) or _NAMELESS
