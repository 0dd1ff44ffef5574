"""Texts that people enter for a video: checked and cleaned."""

import re
import unicodedata

from common.errors import Unprocessable
from common.titles import clean_line
from common.translation import gettext
from db.models import DESCRIPTION_LIMIT, TITLE_LIMIT, Visibility

# Control characters, and unpaired surrogates, which JSON can carry and UTF-8 cannot.
_NOT_ALLOWED = ("Cc", "Cs")


def checked_title(text: str) -> str:
    """Return a title as `common.titles` cleans it.

    :raises Unprocessable: nothing is left, or more than 200 characters.
    """
    title = clean_line(text)
    if not title:
        raise Unprocessable(gettext("Give the video a title."))
    if len(title) > TITLE_LIMIT:
        raise Unprocessable(
            gettext("A title has %(title_limit)s characters at most.", title_limit=TITLE_LIMIT)
        )
    return title


def checked_description(text: str) -> str:
    """Return a description with plain line ends, and no other control characters but tabs.

    :raises Unprocessable: it has more than 5000 characters.
    """
    lines = re.sub(r"\r\n?", "\n", text)
    description = "".join(
        c for c in lines if c in "\n\t" or unicodedata.category(c) not in _NOT_ALLOWED
    ).strip()
    if len(description) > DESCRIPTION_LIMIT:
        raise Unprocessable(
            gettext(
                "A description has %(description_limit)s characters at most.",
                description_limit=DESCRIPTION_LIMIT,
            )
        )
    return description


def parse_visibility(word: str) -> Visibility:
    """Read `private`, `members` or `public`.

    :raises Unprocessable: it is none of them.
    """
    try:
        return Visibility(word)
    except ValueError as error:
        raise Unprocessable(gettext("Choose who can watch: private, members or public.")) from error
