"""Numbers, durations and dates as the reader's language writes them, and times as scripts do.

`frontend/src/js/format.js` writes them alike.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from babel import Locale
from babel.dates import format_date, format_timedelta
from babel.lists import format_list
from babel.numbers import format_decimal
from babel.units import format_unit

from common.translation import current_locale, gettext

_SIZES = ("kilobyte", "megabyte", "gigabyte", "terabyte")
_AGES: tuple[tuple[Literal["year", "month", "week", "day", "hour", "minute"], float], ...] = (
    ("year", 365),  # days
    ("month", 30),
    ("week", 7),
    ("day", 1),
    ("hour", 1 / 24),
    ("minute", 1 / 1440),
)


def filesize(count: int) -> str:
    """Format a number of bytes: `12.3 MB`, in powers of ten, as systems show disks."""
    if count < 1000:
        return _unit(count, "byte")
    size, units = count / 1000, list(_SIZES)
    while size >= 999.95 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return _unit(round(size, 1), units[0])


def clock(duration_ms: int) -> str:
    """Format a duration in whole seconds, rounded down as players do: `1:02:03`, `3:05`."""
    minutes, seconds = divmod(duration_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def spoken_clock(duration_ms: int) -> str:
    """Format a duration for a screen reader: `1 hour, 2 minutes, 3 seconds`."""
    minutes, seconds = divmod(duration_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        _unit(count, word)
        for count, word in ((hours, "hour"), (minutes, "minute"), (seconds, "second"))
        if count or (word == "second" and duration_ms < 1000)
    ]
    return ", ".join(parts)


def duration(seconds: int) -> str:
    """Format a duration in the largest unit of which it is a multiple: `30 days`, `12 hours`."""
    lengths = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    unit, length = next(pair for pair in lengths if seconds % pair[1] == 0)
    return _unit(seconds // length, unit)


def whole_number(count: int) -> str:
    """Format a number with the separators of thousands: `1,000,000`."""
    return format_decimal(count, locale=current_locale())


def date(moment: datetime) -> str:
    """Format a date: `14 November 2026`."""
    return format_date(moment, "long", locale=current_locale())


def date_and_time(moment: datetime) -> str:
    """Format a date with the time of day: `14 Nov 2026, 09:30 UTC`."""
    moment = moment.astimezone(UTC)
    return f"{format_date(moment, 'medium', locale=current_locale())}, {moment:%H:%M} UTC"


def names(parts: list[str]) -> str:
    """Format a list: `Anna, Ben and Carla`."""
    return format_list(parts, locale=current_locale())


def iso_time(moment: datetime | None) -> str | None:
    """Format a time for scripts, as ISO 8601 in UTC: `2026-11-02T09:30:00+00:00`; None stays."""
    return None if moment is None else moment.astimezone(UTC).isoformat()


def ago(moment: datetime) -> str:
    """Say how long ago something was: `just now`, `3 minutes ago`, `2 weeks ago`."""
    days = (datetime.now(UTC) - moment) / timedelta(days=1)
    for unit, length in _AGES:
        if days >= length:
            whole = timedelta(days=int(days / length) * length)
            return format_timedelta(
                -whole, granularity=unit, threshold=1, add_direction=True, locale=current_locale()
            )
    return gettext("just now")


def _unit(number: float, unit: str) -> str:
    return _unit_in(number, unit, current_locale())


@lru_cache(2000)  # a list says many of the same
def _unit_in(number: float, unit: str, locale: Locale) -> str:
    if unit in _SIZES:
        return format_unit(number, unit, "short", format="0.#", locale=locale)
    return format_unit(number, unit, "long", locale=locale)
