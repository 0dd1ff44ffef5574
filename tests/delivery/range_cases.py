"""Requests for a file of 1,000 bytes, and what they get from each server."""

from dataclasses import dataclass

SIZE = 1000
EVERYTHING = range(SIZE)


@dataclass(frozen=True)
class RangeCase:
    """A request. In headers, `{etag}` and `{modified}` stand for the file's own.

    :param part: the bytes that the answer's body holds, or None if it has no part of the file.
    :param by_caddy: status and part where Caddy answers otherwise: as RFC 9110 asks, or by ignoring
        what is no single range, as 14.2 allows.
    """

    status: int
    part: range | None
    headers: dict[str, str]
    method: str = "GET"
    by_caddy: tuple[int, range | None] | None = None

    def __str__(self) -> str:
        asked = ", ".join(f"{name}: {value[:40]}" for name, value in self.headers.items())
        return f"{self.method} {asked or 'plain'}"

    def filled(self, *, etag: str, modified: str) -> dict[str, str]:
        """Return the headers with the file's own validators in place."""
        fill = {"{etag}": etag, "{modified}": modified}
        filled = dict(self.headers)
        for name, value in filled.items():
            for mark, own in fill.items():
                value = value.replace(mark, own)  # noqa: PLW2901 (marks are filled in turn)
            filled[name] = value
        return filled


# nginx ignores ranges past the end, and takes empty parts of a list for an error.
_BY_CADDY: dict[str, tuple[int, range | None]] = {
    "bytes=0-9,5000-": (200, EVERYTHING),
    "bytes=5000-,0-9": (200, EVERYTHING),
    "bytes=0-9,": (200, EVERYTHING),
    "bytes=,0-9": (200, EVERYTHING),
    "bytes=0-9,abc": (200, EVERYTHING),
    "bytes=5000-,6000-": (200, EVERYTHING),
    "bytes=0-99999999999999999999999": (206, EVERYTHING),
}


def _ranges() -> list[RangeCase]:
    rows: list[tuple[str, int, range | None]] = [
        ("bytes=0-99", 206, range(100)),
        ("bytes=0-0", 206, range(1)),
        ("bytes=500-500", 206, range(500, 501)),
        ("bytes=999-", 206, range(999, 1000)),
        ("bytes=-10", 206, range(990, 1000)),
        ("bytes=990-5000", 206, range(990, 1000)),
        ("bytes=-5000", 206, EVERYTHING),
        ("bytes=0-", 206, EVERYTHING),
        ("BYTES=0-9", 206, range(10)),
        ("bytes= 1 - 2 ", 206, range(1, 3)),
        ("bytes=5 -", 206, range(5, 1000)),
        ("bytes=0-9,5000-", 206, range(10)),
        ("bytes=5000-,0-9", 206, range(10)),
        ("bytes=0000000000000000000000000000000005-9", 206, range(5, 10)),
        ("bytes=-9223372036854775807", 206, EVERYTHING),
        ("bytes=0-9223372036854775807", 206, EVERYTHING),
        ("bytes=-0", 416, None),
        ("bytes=1000-", 416, None),
        ("bytes=1000-1000", 416, None),
        ("bytes=5-2", 416, None),
        ("bytes=abc", 416, None),
        ("bytes=-", 416, None),
        ("bytes=--5", 416, None),
        ("bytes=- 5", 416, None),
        ("bytes=+1-2", 416, None),
        ("bytes=1-2x", 416, None),
        ("bytes=1", 416, None),
        ("bytes=0x1-2", 416, None),
        ("bytes=0-9,", 416, None),
        ("bytes=,0-9", 416, None),
        ("bytes=0-9,abc", 416, None),
        ("bytes=9223372036854775808-", 416, None),
        ("bytes=0-99999999999999999999999", 416, None),
        ("bytes=5000-,6000-", 416, None),
        ("items=0-5", 200, EVERYTHING),
        ("bytes", 200, EVERYTHING),
        ("bytes=", 200, EVERYTHING),
        ("bytes =0-5", 200, EVERYTHING),
        ("0-5", 200, EVERYTHING),
        ("bytes=0-1,5-6", 200, EVERYTHING),
        ("bytes=0-1, 5-6", 200, EVERYTHING),
        ("bytes=0-1,5-6,abc", 200, EVERYTHING),
        ("bytes=" + ",".join(["0-0"] * 1000), 200, EVERYTHING),
    ]
    return [
        RangeCase(status, part, {"Range": asked}, by_caddy=_BY_CADDY.get(asked))
        for asked, status, part in rows
    ]


_FIRST = {"Range": "bytes=0-99"}
_OLD, _NEW = "Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"

RANGE_CASES = [
    RangeCase(200, EVERYTHING, {}),
    *_ranges(),
    RangeCase(206, range(100), _FIRST | {"If-Range": "{etag}"}),
    RangeCase(206, range(100), _FIRST | {"If-Range": "{modified}"}),
    RangeCase(200, EVERYTHING, _FIRST | {"If-Range": '"another"'}),
    RangeCase(200, EVERYTHING, _FIRST | {"If-Range": "W/{etag}"}),
    RangeCase(200, EVERYTHING, _FIRST | {"If-Range": _OLD}),
    RangeCase(200, EVERYTHING, _FIRST | {"If-Range": _NEW}),
    RangeCase(200, EVERYTHING, _FIRST | {"If-Range": "yesterday"}),
    RangeCase(200, EVERYTHING, {"Range": "bytes=1000-", "If-Range": '"another"'}),
    RangeCase(304, None, {"If-None-Match": "{etag}"}),
    RangeCase(304, None, {"If-None-Match": "W/{etag}"}),
    RangeCase(304, None, {"If-None-Match": '"another", {etag}'}),
    RangeCase(304, None, {"If-None-Match": "*"}),
    RangeCase(304, None, _FIRST | {"If-None-Match": "{etag}"}),
    RangeCase(304, None, {"Range": "bytes=1000-", "If-None-Match": "{etag}"}),
    RangeCase(200, EVERYTHING, {"If-None-Match": '"another"'}),
    RangeCase(206, range(100), _FIRST | {"If-None-Match": '"another"'}),
    RangeCase(304, None, {"If-Modified-Since": "{modified}"}),
    RangeCase(304, None, _FIRST | {"If-Modified-Since": "{modified}"}),
    RangeCase(200, EVERYTHING, {"If-Modified-Since": _OLD}),
    # nginx compares for equality; RFC 9110, 13.1.3, compares by time.
    RangeCase(200, EVERYTHING, {"If-Modified-Since": _NEW}, by_caddy=(304, None)),
    RangeCase(200, EVERYTHING, {"If-Modified-Since": "yesterday"}),
    # nginx weighs both; RFC 9110, 13.2.2, ignores the date where there is a tag.
    RangeCase(
        200,
        EVERYTHING,
        {"If-None-Match": "{etag}", "If-Modified-Since": _OLD},
        by_caddy=(304, None),
    ),
    RangeCase(304, None, {"If-None-Match": "{etag}", "If-Modified-Since": "{modified}"}),
    RangeCase(200, EVERYTHING, {"If-Match": "{etag}"}),
    RangeCase(200, EVERYTHING, {"If-Match": "*"}),
    RangeCase(206, range(100), _FIRST | {"If-Match": "{etag}"}),
    RangeCase(412, None, {"If-Match": '"another"'}),
    RangeCase(412, None, {"If-Match": "W/{etag}"}),
    RangeCase(200, EVERYTHING, {"If-Unmodified-Since": "{modified}"}),
    RangeCase(200, EVERYTHING, {"If-Unmodified-Since": _NEW}),
    RangeCase(412, None, {"If-Unmodified-Since": _OLD}),
    RangeCase(200, EVERYTHING, {}, method="HEAD"),
    RangeCase(206, range(100), _FIRST, method="HEAD"),
    RangeCase(416, None, {"Range": "bytes=1000-"}, method="HEAD"),
    RangeCase(304, None, {"If-None-Match": "{etag}"}, method="HEAD"),
    RangeCase(405, None, {}, method="POST"),
    RangeCase(405, None, _FIRST, method="PUT"),
    RangeCase(405, None, {}, method="DELETE"),
    RangeCase(405, None, {}, method="OPTIONS"),
    RangeCase(405, None, {}, method="PROPFIND"),
]
