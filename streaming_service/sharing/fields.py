"""Levels and expiry times, as forms and the API give them."""

from datetime import UTC, datetime, time, timedelta

from common.errors import Unprocessable
from common.formatting import date
from common.translation import gettext
from db.models import Level, now

_LATEST = datetime(9000, 1, 1, tzinfo=UTC)  # Python's times end with the year 9999


def parse_level(word: str) -> Level:
    """Return the level that a word names.

    :raises Unprocessable: there is no such level.
    """
    try:
        return Level(word)
    except ValueError as error:
        raise Unprocessable("“level” is watch, download, edit or share.") from error


def parse_expiry(text: str | None) -> datetime | None:
    """Return when access ends; None: never.

    :param text: ISO 8601. Without a zone it is UTC. A date alone includes that day.
    :raises Unprocessable: it is not a time, it is past, or not before the year 9000.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if len(text) <= len("2026-01-01"):
            moment += timedelta(days=1)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise Unprocessable(
            gettext("The end is a date, such as 2027-01-31, or empty for never.")
        ) from error
    if moment <= now():
        raise Unprocessable(gettext("The end has passed already. Choose a later one."))
    if moment >= _LATEST:
        raise Unprocessable(gettext("The end is too far away. Leave it empty for never."))
    return moment


def last_day(expires_at: datetime | None) -> str:
    """Return an expiry as a form's date field shows it: the last day with access, or empty."""
    if expires_at is None:
        return ""
    return (expires_at - timedelta(microseconds=1)).date().isoformat()


def expiry_words(expires_at: datetime) -> str:
    """Say until when access lasts: `until the end of 3 March 2027`, or with the time of day."""
    moment = expires_at.astimezone(UTC)
    if moment.time() == time():
        return gettext("until the end of %(day)s", day=date(moment - timedelta(days=1)))
    return gettext("until %(day)s, %(time)s UTC", day=date(moment), time=f"{moment:%H:%M}")
