"""Share links as pages and the JSON API show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import segno
from sqlalchemy import select
from sqlalchemy.orm import Session

from common.access import Viewer, Watcher
from common.access_queries import asked_by, sees_collection, visible_to
from common.errors import Unprocessable
from common.formatting import iso_time
from common.translation import gettext, ngettext
from db.engine import transaction
from db.models import Collection, Link, Video, now
from streaming_service.sharing.link_rules import DEFAULT_AGE, LinkRules, describe_age
from streaming_service.sharing.links import is_used_up, list_links, list_own_links
from streaming_service.sharing.objects import SharedObject, get_object_to_share

_CHOICES = (("7d", timedelta(days=7)), ("30d", timedelta(days=30)))
EXTENSION = timedelta(days=30)
"""How much longer a link works once it was extended."""


@dataclass(frozen=True)
class LinkView:
    """A link, and what templates show besides its columns.

    :ivar title: of what it leads to; None if the viewer can no longer see that.
    :ivar may_extend: whether it may work for longer.
    """

    link: Link
    title: str | None
    may_extend: bool

    @property
    def page(self) -> str:
        """The page that the link leads to."""
        return SharedObject.of(self.link).url

    @property
    def name(self) -> str:
        """What to call the link in a sentence."""
        return self.link.label or gettext("this link")

    @property
    def is_used_up(self) -> bool:
        """Whether it has been opened as often as it may."""
        return is_used_up(self.link)

    @property
    def views_words(self) -> str:
        """How often it was opened: `opened 2 times`, or `opened 3 of 10 times`."""
        count, limit = self.link.view_count, self.link.max_views
        if limit is not None:
            return ngettext(
                "opened %(count)s of %(num)d time",
                "opened %(count)s of %(num)d times",
                limit,
                count=count,
            )
        if count == 0:
            return gettext("not opened yet")
        return ngettext("opened %(num)d time", "opened %(num)d times", count)


@dataclass(frozen=True)
class NewLink:
    """A link that has just been made: its address, which is shown this once."""

    url: str

    @property
    def qr_code(self) -> str:
        """The address as a QR code: the URL of an SVG drawing."""
        return segno.make(self.url, error="m").svg_data_uri(scale=4, border=3, light="#fff")


def _ages(rules: LinkRules) -> dict[str, timedelta | None]:
    """Return for how long a new link may work, by the values of the form; None: for ever."""
    ages: dict[str, timedelta | None] = {
        value: age for value, age in _CHOICES if rules.at_most(age) == age
    }
    if rules.max_age is not None and rules.max_age not in ages.values():
        ages["longest"] = rules.max_age
    if rules.may_last_forever:
        ages["never"] = None
    return ages


def chosen_expiry(rules: LinkRules, choice: str) -> datetime | None:
    """Return when a link ends for a choice of the form.

    :raises Unprocessable: it is none that the form offers.
    """
    ages = _ages(rules)
    if choice not in ages:
        raise Unprocessable(gettext("Choose how long the link works."))
    age = ages[choice]
    return None if age is None else now() + age


@dataclass(frozen=True)
class LinkSection:
    """The links of a video or collection, and the form for another one.

    :ivar what: is shared.
    :ivar title: of the video or collection.
    :ivar back: path of the page on which the section is; changes lead back there.
    :ivar new: a link that has just been made.
    :ivar values: of the form, if it was refused.
    """

    what: SharedObject
    title: str
    back: str
    links: Sequence[LinkView]
    rules: LinkRules
    new: NewLink | None = None
    values: Mapping[str, str] | None = None
    error: str = ""
    notice: str | None = None

    @property
    def page(self) -> str:
        """The page of what is shared."""
        return self.what.url

    @property
    def action(self) -> str:
        """Where the form is sent."""
        return f"{self.page}/links"

    @property
    def choices(self) -> list[tuple[str, str]]:
        """For how long a link may work: the values of the form, with words."""
        return [
            (value, gettext("Forever") if age is None else describe_age(age))
            for value, age in _ages(self.rules).items()
        ]

    @property
    def default_choice(self) -> str:
        """The choice that the form begins with."""
        default = self.rules.at_most(DEFAULT_AGE)
        return next(value for value, age in _ages(self.rules).items() if age == default)


@transaction(writes=False)
def load_link_section(
    session: Session,
    /,
    viewer: Viewer,
    what: SharedObject,
    rules: LinkRules,
    *,
    back: str = "",
    **extra: Any,
) -> LinkSection:
    """Return the links of a video or collection that a viewer may share.

    :param back: path of the page that shows the section; by default that of the links alone.
    :param extra: `new`, `values`, `error` and `notice` of the section.
    :raises NotFound: there is none, or they may not share it.
    """
    shared = get_object_to_share(session, viewer, what)
    views = [_view(link, shared.title, rules) for link in list_links(session, what)]
    back = back or f"{what.url}/links"
    return LinkSection(what, shared.title, back, views, rules, **extra)


@transaction(writes=False)
def load_own_links(session: Session, viewer: Viewer, rules: LinkRules) -> list[LinkView]:
    """Return the links that a viewer has made, with titles as far as the viewer may see them."""
    links = list_own_links(session, viewer)
    watcher = Watcher(viewer)
    videos = select(Video.id, Video.title).where(
        Video.id.in_([link.video_id for link in links]), visible_to(watcher)
    )
    collections = select(Collection.id, Collection.title).where(
        Collection.id.in_([link.collection_id for link in links]), sees_collection(watcher)
    )
    titles = {
        row.id: row.title
        for wanted in (videos, collections)
        for row in session.execute(wanted.params(asked_by(watcher)))
    }
    return [_view(link, titles.get(link.video_id or link.collection_id), rules) for link in links]


def _view(link: Link, title: str | None, rules: LinkRules) -> LinkView:
    longer = link.expires_at is not None and (
        rules.max_age is None or link.expires_at < link.created_at + rules.max_age
    )
    return LinkView(link, title, may_extend=longer)


def extended_expiry(link: Link, rules: LinkRules) -> datetime | None:
    """Return when a link ends once it was extended: 30 days later, or as late as is allowed."""
    if link.expires_at is None:
        return None
    until = max(link.expires_at, now()) + EXTENSION
    return until if rules.max_age is None else min(until, link.created_at + rules.max_age)


def link_json(link: Link) -> dict[str, Any]:
    """Return a link for scripts. Times are ISO 8601 in UTC."""
    return {
        "id": link.id,
        "video": link.video_id,
        "collection": link.collection_id,
        "label": link.label,
        "level": link.level.value,
        "created_at": iso_time(link.created_at),
        "expires_at": iso_time(link.expires_at),
        "has_password": link.password_hash is not None,
        "max_views": link.max_views,
        "view_count": link.view_count,
        "last_used_at": iso_time(link.last_used_at),
        "show_title": link.show_title,
    }
