"""Usernames: which are allowed, and when two are the same.

A name is displayed in its NFKC form and compared by NFKC and case-fold, so `Alice`, `alice`, the
same in full-width letters, and with a trailing blank are one account. Normalising comes first, and
checking after it, because NFKC can make a quote or a markup sign of a harmless-looking character.
"""

import re
import unicodedata
from dataclasses import dataclass

from common.errors import Unprocessable
from common.names import name_key
from common.translation import gettext
from db.models import NAME_LIMIT

_KEY_LIMIT = NAME_LIMIT * 3  # characters; the width of the column

# Letters and marks that no font shows, with which two names could look the same
# (Default_Ignorable_Code_Point of Unicode 16, as far as its categories are allowed below).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_MARKS_IN_A_ROW = 3  # more than any script stacks on one letter


class InvalidUsername(Unprocessable):
    """No account can have this name."""

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "A name has 1 to %(name_limit)s letters or digits, with dots, dashes, "
                "underscores or single blanks between them.",
                name_limit=NAME_LIMIT,
            )
        )


@dataclass(frozen=True)
class Username:
    """A name as it is displayed, and the key by which it is compared."""

    display: str
    key: str


def parse_name(given: str) -> Username:
    """Return the name that somebody typed.

    Allowed are letters (with their marks) and digits of any script, `.`, `_` and `-`, and single
    blanks inside; at least one letter or digit. So no quote, no `%`, no control, direction or
    invisible character, no markup.

    :raises InvalidUsername: it is anything else, or longer than 40 characters once normalised.
    """
    display = unicodedata.normalize("NFKC", given).strip(" ")
    key = name_key(display)
    fits = 1 <= len(display) <= NAME_LIMIT and len(key) <= _KEY_LIMIT
    if not (fits and _has_allowed_characters(display) and _has_allowed_characters(key)):
        raise InvalidUsername
    return Username(display=display, key=key)


def _has_allowed_characters(text: str) -> bool:
    if _INVISIBLE.search(text) or "  " in text:
        return False
    letters, marks = 0, 0
    for character in text:
        category = unicodedata.category(character)
        if category in ("Mn", "Mc"):
            marks += 1
            if not letters or marks > _MARKS_IN_A_ROW:
                return False
            continue
        marks = 0
        if category[0] == "L" or category == "Nd":
            letters += 1
        elif character not in "._- ":
            return False
    return letters > 0
