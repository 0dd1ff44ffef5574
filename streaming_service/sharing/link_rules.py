"""What a link may be: its label, expiry, password and number of views, as the site allows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from common.errors import Unprocessable
from common.formatting import duration, whole_number
from common.titles import clean_line
from common.translation import gettext
from db.models import LABEL_LIMIT, Level, now

DEFAULT_AGE = timedelta(days=30)
"""How long a link works if nothing else is said."""
MAX_VIEWS = 1_000_000


class LinkFields(TypedDict, total=False):
    """The fields of a link that are set or changed; those that are missing stay as they are.

    `expires_at`, `password` and `max_views` are None for never, none and no limit.
    """

    label: str
    level: Level
    expires_at: datetime | None
    password: str | None
    max_views: int | None
    show_title: bool


@dataclass(frozen=True)
class LinkRules:
    """What the administrator asks of new and changed links.

    :ivar max_age: how long a link may work, from its creation; None is no limit.
    """

    max_age: timedelta | None = None
    require_password: bool = False
    require_expiry: bool = False

    @property
    def may_last_forever(self) -> bool:
        """Whether a link may have no expiry."""
        return self.max_age is None and not self.require_expiry

    def default_expiry(self) -> datetime:
        """Return when a link that is made now ends if nothing is said."""
        return now() + self.at_most(DEFAULT_AGE)

    def at_most(self, age: timedelta) -> timedelta:
        """Return an age, or the longest that is allowed if that is less."""
        return age if self.max_age is None else min(age, self.max_age)

    def check_expiry(self, expires_at: datetime | None, *, created_at: datetime) -> None:
        """Check when a link ends; `streaming_service.sharing.fields` refuses a time in the past.

        :raises Unprocessable: later than is allowed, or never where it must end.
        """
        if expires_at is None:
            if not self.may_last_forever:
                raise Unprocessable(gettext("Links on this site need an expiry date."))
            return
        # Seconds pass between the choice of "30 days" and this check.
        if self.max_age is not None and expires_at > created_at + self.max_age + _SLACK:
            raise Unprocessable(
                gettext(
                    "On this site a link works for %(max_age)s at most.",
                    max_age=describe_age(self.max_age),
                )
            )

    def check_password(self, *, has_password: bool) -> None:
        """Check whether a link may be without a password.

        :raises Unprocessable: it may not.
        """
        if self.require_password and not has_password:
            raise Unprocessable(gettext("Links on this site need a password."))


_SLACK = timedelta(minutes=1)


def check_fields(fields: LinkFields) -> LinkFields:
    """Return the fields with a clean label.

    :raises Unprocessable: the label is too long, the level is not for links, or the number of
        views is out of bounds.
    """
    checked = fields.copy()
    if "label" in checked:
        checked["label"] = clean_line(checked["label"])
        if len(checked["label"]) > LABEL_LIMIT:
            raise Unprocessable(
                gettext("A label has %(label_limit)s characters at most.", label_limit=LABEL_LIMIT)
            )
    if checked.get("level", Level.WATCH) not in (Level.WATCH, Level.DOWNLOAD):
        raise Unprocessable(gettext("A link lets people watch, or watch and download."))
    views = checked.get("max_views")
    if views is not None and not 1 <= views <= MAX_VIEWS:
        raise Unprocessable(
            gettext("The number of views is from 1 to %(most)s.", most=whole_number(MAX_VIEWS))
        )
    return checked


def describe_age(age: timedelta) -> str:
    """Return an age in words: `30 days`, `12 hours`."""
    return duration(int(age.total_seconds()))
