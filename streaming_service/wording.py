"""The texts that people give a video, made fit to keep, and refused with the reason.

And the time of completion as people say it.
"""

import re
import unicodedata
from datetime import datetime

from common.errors import Unprocessable
from db.models import DESCRIPTION_LIMIT, TITLE_LIMIT, Visibility, now

# Control characters, and halves of surrogate pairs, which JSON can carry and UTF-8 cannot.
_UNFIT = ("Cc", "Cs")


def clean_title(text: str) -> str:
    """Return a title on one line, without control characters.

    :raises Unprocessable: nothing is left, or more than 200 characters.
    """
    title = clean_line(text)
    if not title:
        raise Unprocessable("Give the video a title.")
    if len(title) > TITLE_LIMIT:
        raise Unprocessable(f"A title has {TITLE_LIMIT} characters at most.")
    return title


def clean_description(text: str) -> str:
    """Return a description with plain line ends, and no other control characters but tabs.

    :raises Unprocessable: it has more than 5000 characters.
    """
    lines = re.sub(r"\r\n?", "\n", text)
    description = "".join(c for c in lines if c in "\n\t" or is_fit(c)).strip()
    if len(description) > DESCRIPTION_LIMIT:
        raise Unprocessable(f"A description has {DESCRIPTION_LIMIT} characters at most.")
    return description


def clean_line(text: str) -> str:
    """Return a text with single blanks between its words, and without control characters."""
    return "".join(c for c in " ".join(text.split()) if is_fit(c)).strip()


def visibility_of(word: str) -> Visibility:
    """Read `private`, `members` or `public`.

    :raises Unprocessable: it is none of them.
    """
    try:
        return Visibility(word)
    except ValueError as error:
        raise Unprocessable("Choose who can watch: private, members or public.") from error


def until(moment: datetime) -> str:
    """Say how long it is until then, coarsely: `about 3 minutes`, `less than a minute`."""
    minutes = round((moment - now()).total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes == 1:
        return "about a minute"
    if minutes < 60:
        return f"about {minutes} minutes"
    hours = round(minutes / 60)
    return f"about {hours} hours" if hours > 1 else "about an hour"


def is_fit(character: str) -> bool:
    """Tell whether a character may be kept: it is no control character, and no half of one."""
    return unicodedata.category(character) not in _UNFIT
