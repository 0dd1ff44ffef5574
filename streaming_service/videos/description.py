"""Descriptions as the watch page shows them: links, times that can be clicked, and chapters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

from markupsafe import Markup

from common.titles import clean_line

_TIME = r"(?:(?P<hours>\d{1,3}):(?=\d\d:))?(?P<minutes>\d{1,3}):(?P<seconds>[0-5]\d)"
# Marks that change the direction of text end an address: it must not look like another one.
_DIRECTION = r"\u202a-\u202e\u2066-\u2069"
_LINK_OR_TIME = re.compile(
    rf"(?P<url>\bhttps?://[^\s<>\"\\^`{{|}}{_DIRECTION}]+)"
    rf"|(?<![\w:.,/-]){_TIME}(?![\w:]|\.\d)",
    re.IGNORECASE,
)
# No line ends: the time for a text of blank lines would grow with the square of its length.
_DASHES = r"\t \u00a0\-\u2013\u2014"
_CHAPTER = re.compile(
    rf"^[{_DASHES}\u2022*]*[(\[]?{_TIME}(?![\w:]|\.\d)[)\]]?[{_DASHES}:|.]*(?P<title>\S.*)$",
    re.MULTILINE,
)
_SENTENCE_ENDS = ".,;:!?'*_~\u2026\u2019\u201d\u00bb"
_LINK = Markup('<a href="{}" target="_blank" rel="nofollow noopener">{}</a>')
_JUMP = Markup('<a href="#t={}" data-time="{}">{}</a>')
_CLOSING = {")": "(", "]": "["}
_FEWEST_CHAPTERS = 3


@dataclass(frozen=True)
class Chapter:
    """A part of a video.

    :ivar start: in whole seconds from the start of the video.
    """

    start: int
    title: str


def render_description(text: str, *, duration_ms: int | None) -> Markup:
    """Return a description as HTML, in which addresses and times are links.

    Everything else is escaped. Only `http` and `https` addresses become links.

    :param duration_ms: of the video; a time beyond it is no link. None: not known.
    """
    return Markup("").join(_pieces(text, duration_ms))


def find_chapters(text: str, *, duration_ms: int | None) -> list[Chapter]:
    """Return the chapters that a description lists, one a line, each a time and a title.

    As on YouTube, the first begins at 0:00, there are at least three, and each begins after the one
    before; otherwise there are none.
    """
    found = [
        Chapter(start, clean_line(match["title"]))
        for match in _CHAPTER.finditer(text)
        if (start := _seconds(match, duration_ms)) is not None
    ]
    starts = [chapter.start for chapter in found]
    if len(found) < _FEWEST_CHAPTERS or starts[0] != 0:
        return []
    return found if all(a < b for a, b in pairwise(starts)) else []


def _pieces(text: str, duration_ms: int | None) -> Iterator[str | Markup]:
    end = 0
    for match in _LINK_OR_TIME.finditer(text):
        if match["url"]:
            words = _without_punctuation(match["url"])
            link = _LINK.format(words, words) if _has_host(words) else None
        else:
            words = match[0]
            start = _seconds(match, duration_ms)
            link = None if start is None else _JUMP.format(start, start, words)
        if link is not None:
            yield text[end : match.start()]
            yield link
            end = match.start() + len(words)
    yield text[end:]


def _seconds(match: re.Match[str], duration_ms: int | None) -> int | None:
    """Return the time that was written; None if it is none of the video's."""
    hours, minutes, seconds = (int(match[part] or 0) for part in ("hours", "minutes", "seconds"))
    if match["hours"] and minutes >= 60:
        return None
    found = 3600 * hours + 60 * minutes + seconds
    return found if duration_ms is None or 1000 * found < duration_ms else None


def _without_punctuation(url: str) -> str:
    """Leave out what ends the sentence around an address, but no bracket that belongs to it."""
    while url:
        last = url[-1]
        if last in _CLOSING:
            if url.count(last) <= url.count(_CLOSING[last]):
                break
        elif last not in _SENTENCE_ENDS:
            break
        url = url[:-1]
    return url


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:  # such as a bracket without its pair
        return False
