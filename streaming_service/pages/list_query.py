"""The parameters of a list of videos in its address.

?q=  ?sort=newest|oldest|title|longest|largest|watched  ?whose=all|mine|shared|public  ?by=<name>
?tag=  ?length=short|medium|long  ?from=<day>  ?to=<day>  ?state=ready|processing|failed
?after=<cursor>
"""

import enum
from collections.abc import Callable
from datetime import date
from typing import TypeVar
from urllib.parse import urlencode

from flask import request

from common.errors import Unprocessable
from common.titles import clean_line
from common.translation import gettext
from db.models import NAME_LIMIT, TAG_LIMIT
from streaming_service.videos.cursors import BadCursor, Cursor, Sort
from streaming_service.videos.filters import Filters, LengthFilter, OwnerFilter, StateFilter
from streaming_service.videos.library import SEARCH_LIMIT, ListQuery

T = TypeVar("T")


def read_list_query(*, strict: bool) -> ListQuery:
    """Read what to list from the request's address.

    :param strict: whether a parameter that makes no sense is an error; otherwise it is ignored.
    :raises Unprocessable: a parameter makes no sense.
    """
    sort = read_parameter("sort", Sort, Sort.NEWEST, strict=strict)
    search = clean_line(request.args.get("q", ""))
    if strict and len(search) > SEARCH_LIMIT:
        raise Unprocessable(
            gettext("A search has %(search_limit)s characters at most.", search_limit=SEARCH_LIMIT)
        )
    filters = Filters(
        search=search[:SEARCH_LIMIT],
        by=clean_line(request.args.get("by", ""))[:NAME_LIMIT],
        whose=read_parameter("whose", OwnerFilter, OwnerFilter.ALL, strict=strict),
        tag=clean_line(request.args.get("tag", ""))[:TAG_LIMIT],
        length=read_parameter("length", LengthFilter, LengthFilter.ANY, strict=strict),
        since=read_parameter("from", _day, None, strict=strict),
        until=read_parameter("to", _day, None, strict=strict),
        state=read_parameter("state", StateFilter, StateFilter.ANY, strict=strict),
    )
    after = read_parameter("after", lambda text: Cursor.read(text, sort), None, strict=strict)
    return ListQuery(filters, sort, after)


def read_parameter(name: str, parse: Callable[[str], T], default: T, *, strict: bool) -> T:
    """Read a parameter of the request's address.

    :param parse: raises ValueError for what makes no sense, and for a cursor BadCursor.
    :param default: returned if there is none.
    :param strict: as of :func:`read_list_query`.
    """
    if name not in request.args:
        return default
    try:
        return parse(request.args[name])
    except ValueError as error:
        if not strict:
            return default
        raise Unprocessable(_problem(name, parse, error)) from error


def _problem(name: str, parse: object, error: ValueError) -> str:
    if isinstance(error, BadCursor):
        return "“after” is not a cursor of this list."
    if isinstance(parse, type) and issubclass(parse, enum.Enum):
        return f"“{name}” is one of: {', '.join(one.value for one in parse if one.value)}."
    return f"“{name}” is a day such as 2026-11-30."


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def list_address(query: ListQuery, **changed: str) -> str:
    """Return the address of the library with what is listed, and with some parameters changed."""
    filters = query.filters
    parameters = {
        "q": filters.search,
        "sort": "" if query.sort is Sort.NEWEST else query.sort,
        "whose": "" if filters.whose is OwnerFilter.ALL else filters.whose,
        "by": filters.by,
        "tag": filters.tag,
        "length": filters.length,
        "from": filters.since.isoformat() if filters.since else "",
        "to": filters.until.isoformat() if filters.until else "",
        "state": filters.state,
    } | changed
    given = urlencode({name: value for name, value in parameters.items() if value})
    return f"/stream?{given}" if given else "/stream"
