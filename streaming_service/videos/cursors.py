"""Cursors of paged lists: where a page ended, as text for the URL of the next one.

A cursor names the entry after which to go on, not how many to skip, so nothing is shown twice or
left out when videos come and go. It grants nothing: a forged one begins at another place of the
same list.
"""

import base64
import binascii
import enum
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from common.ids import is_id
from db.models import TITLE_LIMIT

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LIMIT = 2000  # characters; the longest title, escaped, stays below


class Sort(enum.StrEnum):
    """The orders in which videos are listed."""

    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"
    LONGEST = "longest"
    LARGEST = "largest"
    WATCHED = "watched"


_BY_TIME = (Sort.NEWEST, Sort.OLDEST, Sort.WATCHED)


class BadCursor(ValueError):
    """A text that is no cursor of ours, or one of another order."""


@dataclass(frozen=True)
class Cursor:
    """The last video of a page: what it is sorted by, and its id to tell equals apart.

    :ivar value: a title, a time, milliseconds or bytes; None: it was never watched.
    """

    sort: Sort
    value: str | datetime | int | None
    video_id: str

    @classmethod
    def read(cls, text: str, sort: Sort) -> "Cursor":
        """Read what :meth:`__str__` wrote for the same order.

        :raises BadCursor: it is anything else.
        """
        try:
            if len(text) > _LIMIT:
                raise ValueError("too long")
            fields = json.loads(base64.b64decode(text.encode("ascii"), b"-_", validate=True))
            order, value, video_id = fields
            if order != sort or not isinstance(video_id, str) or not is_id(video_id):
                raise ValueError("of another list")
            return cls(sort, _value(value, sort), video_id)
        except (ValueError, TypeError, binascii.Error, RecursionError) as error:
            raise BadCursor(str(error)) from error

    def __str__(self) -> str:
        """Write it in characters that need no escaping in an address, but for `=`."""
        value = self.value
        plain = (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value
        fields = json.dumps([self.sort, plain, self.video_id], ensure_ascii=False)
        return base64.urlsafe_b64encode(fields.encode()).decode()


@dataclass(frozen=True)
class FailedJobCursor:
    """The last job of a page of failed ones: when it ended, and its id to tell equals apart."""

    ended_at: datetime
    job_id: int

    @classmethod
    def read(cls, text: str) -> "FailedJobCursor":
        """Read what :meth:`__str__` wrote.

        :raises BadCursor: it is anything else.
        """
        match = re.fullmatch("([0-9]{1,18})-([0-9]{1,18})", text)
        if match is None or int(match[1]) > _LAST:
            raise BadCursor("not a time and an id")
        return cls(_EPOCH + int(match[1]) * _MICROSECOND, int(match[2]))

    def __str__(self) -> str:
        """Write it in digits, with a hyphen between the two."""
        return f"{(self.ended_at - _EPOCH) // _MICROSECOND}-{self.job_id}"


def _value(plain: object, sort: Sort) -> str | datetime | int | None:
    if sort is Sort.TITLE:
        if not isinstance(plain, str) or len(plain) > TITLE_LIMIT:
            raise ValueError("not a title")
        plain.encode()  # half a surrogate pair is no text, and no store takes it
        return plain
    if plain is None and sort is Sort.WATCHED:
        return None
    if type(plain) is not int or not 0 <= plain <= _LAST:
        raise ValueError("not a number")
    return _EPOCH + plain * _MICROSECOND if sort in _BY_TIME else plain
