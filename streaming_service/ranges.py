"""Ranges and conditions of a request for a file (RFC 9110, 13 and 14).

Behind the gateway nginx answers these, with `max_ranges 1`; here are its rules, so that a player
meets the same site either way. A test puts the same questions to both. Werkzeug's own rules differ:
it answers 416 for an over-long suffix, for an unknown unit and for several ranges.

Where nginx is stricter than the RFC asks, so is this: a range that cannot be read is 416 and not
ignored, a date counts only if it is the file's own, and of `If-None-Match` and `If-Modified-Since`
both must hold.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from werkzeug.http import http_date, parse_date

_SPEC = re.compile(r" *(?:([0-9]+) *- *([0-9]*)|-([0-9]+)) *(?=,|$)")
_LARGEST = 2**63 - 1  # the largest offset of a file


class RangeError(Exception):
    """The range asked for cannot be satisfied, or not be read: 416."""


@lru_cache(maxsize=1024)
def date_of(second: int) -> str:
    """Return a Unix second as an HTTP date."""
    return http_date(second)


@dataclass(frozen=True)
class Facts:
    """What a file's answers are derived from. `size` is in bytes, `modified` in Unix seconds."""

    size: int
    modified: int

    @property
    def etag(self) -> str:
        """A strong validator, as nginx writes it: another server in front changes nothing."""
        return f'"{self.modified:x}-{self.size:x}"'

    @property
    def last_modified(self) -> str:
        """The time of the last change as an HTTP date."""
        return date_of(self.modified)


class Condition(enum.Enum):
    """What the conditions of a request come to."""

    HOLDS = 200
    NOT_MODIFIED = 304
    FAILED = 412


def weigh(headers: Mapping[str, str], facts: Facts) -> Condition:
    """Weigh the conditions of a GET or HEAD; `If-Range` is not one of them.

    :param headers: those of the request, by names written as in the RFC.
    """
    unless_since = headers.get("If-Unmodified-Since")
    if unless_since is not None and _seconds(unless_since) < facts.modified:
        return Condition.FAILED
    match = headers.get("If-Match")
    if match is not None and not _matches(match, facts.etag, weak=False):
        return Condition.FAILED
    since, none_match = headers.get("If-Modified-Since"), headers.get("If-None-Match")
    if since is None and none_match is None:
        return Condition.HOLDS
    if since is not None and _seconds(since) != facts.modified:
        return Condition.HOLDS
    if none_match is not None and not _matches(none_match, facts.etag, weak=True):
        return Condition.HOLDS
    return Condition.NOT_MODIFIED


def wanted_range(headers: Mapping[str, str], facts: Facts) -> range | None:
    """Return the offsets of the bytes to send with 206, or None for 200 with everything.

    :raises RangeError: the answer is 416.
    """
    asked = headers.get("Range", "")
    if len(asked) < 7 or asked[:6].lower() != "bytes=":
        return None
    if_range = headers.get("If-Range")
    if if_range is not None and not _is_same(if_range, facts):
        return None
    return _parse(asked[6:], facts.size)


def _parse(specs: str, size: int) -> range | None:
    found: range | None = None
    position = 0
    while True:
        spec = _SPEC.match(specs, position)
        if spec is None:
            raise RangeError
        one = _resolve(spec, size)
        if one:
            if found is not None:
                return None  # a second one: everything is sent, as the RFC lets a server do
            found = one
        elif one.start == 0:
            return None  # of an empty file
        if spec.end() == len(specs):
            break
        position = spec.end() + 1
    if found is None:
        raise RangeError
    return found


def _resolve(spec: re.Match[str], size: int) -> range:
    first, last, suffix = spec.groups()
    if suffix is not None:
        return range(max(size - _bounded(suffix), 0), size)
    end = size if last == "" else min(_bounded(last) + 1, size)
    return range(_bounded(first), end)


def _bounded(digits: str) -> int:
    # Thousands of digits would take long to read.
    significant = digits.lstrip("0") or "0"
    if len(significant) > 19 or int(significant) > _LARGEST:
        raise RangeError
    return int(significant)


def _is_same(if_range: str, facts: Facts) -> bool:
    """Compare strongly: a weak validator, or a date that is not the file's own, never matches."""
    if len(if_range) >= 2 and if_range.endswith('"'):
        return if_range == facts.etag
    return _seconds(if_range) == facts.modified


def _seconds(date: str) -> int:
    """Read an HTTP date; what is none comes before everything."""
    try:
        moment = parse_date(date)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        return -1
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


def _matches(listed: str, etag: str, *, weak: bool) -> bool:
    tags = [tag.strip(" \t") for tag in listed.split(",")]
    if weak:
        tags = [tag.removeprefix("W/") for tag in tags]
    return listed == "*" or etag in tags
