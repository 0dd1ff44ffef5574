"""Language tags (BCP 47, RFC 5646), and the languages' own names."""

import json
import re
from pathlib import Path

from common.errors import Unprocessable
from common.translation import gettext

_LIMIT = 35  # characters; RFC 5646, 4.4.1

# RFC 5646, 2.1, without the tags that are kept for old times' sake ("i-klingon").
_TAG = re.compile(
    r"[a-z]{2,3}(?:-[a-z]{3}){0,3}"
    r"(?:-[a-z]{4})?"
    r"(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?"
)

COMMON: dict[str, str] = json.loads(
    Path(__file__).with_name("languages.json").read_text(encoding="utf-8")
)
"""The list of the form; a script may send any other tag."""


def canonical_tag(text: str) -> str:
    """Return a tag in the case that is usual: `pt-BR`, `zh-Hant`, `en` (RFC 5646, 2.1.1).

    :raises Unprocessable: it is no tag of a language.
    """
    tag = text.strip().lower()
    if len(tag) > _LIMIT or not _TAG.fullmatch(tag):
        raise Unprocessable(gettext("Give the language as a tag, such as en, de or pt-BR."))
    first, *others = tag.split("-")
    parts, is_plain = [first], True
    for part in others:
        # After a single character comes an extension, which is written small throughout.
        is_plain = is_plain and len(part) > 1
        parts.append(_in_its_case(part) if is_plain else part)
    return "-".join(parts)


def _in_its_case(part: str) -> str:
    if len(part) == 2:
        return part.upper()
    return part.title() if len(part) == 4 and part.isalpha() else part


def name_of(tag: str) -> str:
    """Return a language's own name: of the tag, or of its beginning; or else the tag itself."""
    return COMMON.get(tag) or COMMON.get(tag.partition("-")[0]) or tag
