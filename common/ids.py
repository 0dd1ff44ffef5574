"""Public ids, which appear in URLs: unguessable, URL-safe, 22 characters."""

import re
import secrets

PATTERN = "[A-Za-z0-9_][A-Za-z0-9_-]{21}"
_ID = re.compile(PATTERN)


def new_id() -> str:
    """Make an id of 128 random bits. None begins with `-`, so no program takes it for an option."""
    while (candidate := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return candidate


def is_id(value: str) -> bool:
    """Tell whether a text has the form of an id, so that it may become part of a path."""
    return _ID.fullmatch(value) is not None
