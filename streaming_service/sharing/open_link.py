"""Opening a share link: from its token, and its password where there is one, to a visit."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from limits import RateLimitItemPerHour
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from common.access import Watcher
from common.access_queries import has_not_expired
from common.audit import Action, Actor, record
from common.errors import MatineeError, NotFound
from common.live import is_live, is_shown
from common.passwords import Passwords
from common.stores.sessions import token_hash
from common.translation import gettext_noop
from common.web.rate_limits import PasswordLimits, RateLimits, network_of
from db.engine import Database, change_rows, transaction
from db.models import Collection, Link, LinkVisit, Video, now
from streaming_service.sharing.links import is_used_up

_TOKEN_LIMIT = 100  # characters; ours have 43
# From one network: each adds rows, and a browser that keeps no cookies can open a link for ever.
_VISITS = RateLimitItemPerHour(1000, 1, namespace="visits")


class LinkNotFound(NotFound):
    """No link has this token, or it has expired, is revoked or used up, or its video is gone."""

    sentence = gettext_noop("This link does not work. Ask whoever sent it for a new one.")


class WrongLinkPassword(MatineeError):
    """The link has another password."""

    status = 401
    sentence = gettext_noop("That is not the password of this link.")


@dataclass(frozen=True)
class FoundLink:
    """A link that works, and what it leads to.

    :ivar was_opened: whether this browser has opened it before; then it may go on.
    """

    link: Link
    title: str
    was_opened: bool


@transaction(writes=False)
def find_link(session: Session, watcher: Watcher, token: str) -> FoundLink:
    """Return the link of a token.

    :param watcher: of this browser's visits.
    :raises LinkNotFound: it opens nothing (any more). A link that is used up still works for
        those who have opened it.
    """
    if len(token) > _TOKEN_LIMIT:
        raise LinkNotFound
    valid = has_not_expired(Link.expires_at, watcher.at)
    wanted = select(Link).where(Link.token_hash == token_hash(token), valid)
    link = session.scalars(wanted).one_or_none()
    if link is None:
        raise LinkNotFound
    title = _title(session, link)
    was_opened = link.id in watcher.links
    if title is None or (is_used_up(link) and not was_opened):
        raise LinkNotFound
    return FoundLink(link, title, was_opened)


def _title(session: Session, link: Link) -> str | None:
    """Return the title of what a link leads to; None if nobody can see that."""
    if link.collection_id is not None:
        return session.scalar(select(Collection.title).where(Collection.id == link.collection_id))
    wanted = select(Video.title).where(Video.id == link.video_id, is_live(), is_shown())
    return session.scalar(wanted)


@dataclass(frozen=True)
class LinkOpener:
    """What opening links needs.

    :ivar limits: on wrong passwords.
    :ivar rate_limits: counts visits.
    """

    database: Database
    passwords: Passwords
    limits: PasswordLimits
    rate_limits: RateLimits


def open_link(
    opener: LinkOpener, actor: Actor, watcher: Watcher, link: Link, password: str
) -> "Visit":
    """Open a link for a browser: count it, and return the visit that the browser keeps.

    :param password: ignored if the link has none.
    :raises LinkNotFound: others have used it up, or it was revoked, expired or changed meanwhile.
    :raises WrongLinkPassword: it has another password.
    :raises RateLimited: too many wrong passwords for this link, or visits, came from this network.
    :raises InvalidPassword: it is longer than any password; nothing was hashed.
    :raises HashingBusy: too many passwords are being checked.
    """
    if link.password_hash is not None:
        opener.limits.check(link.id, address=actor.address)
        if not opener.passwords.matches(password, link.password_hash):
            opener.limits.record_wrong(link.id, address=actor.address)
            raise WrongLinkPassword
        opener.limits.check(link.id, address=actor.address)
    opener.rate_limits.count([(_VISITS, network_of(actor.address))])
    token = secrets.token_urlsafe(32)
    until = _begin_visit(opener.database, actor, watcher, link, visit_hash=token_hash(token))
    return Visit(token, until)


@dataclass(frozen=True)
class Visit:
    """A visit: the token that a browser keeps.

    :ivar until: when the last link that this browser has opened ends; None: never.
    """

    token: str
    until: datetime | None


@transaction(writes=True)
def _begin_visit(
    session: Session, actor: Actor, watcher: Watcher, link: Link, *, visit_hash: str
) -> datetime | None:
    """Count a view and add the visit; return when the browser's last visit ends.

    One statement checks and counts, so that simultaneous requests cannot exceed the limit.
    """
    at = now()
    counted = (
        update(Link)
        .where(
            Link.id == link.id,
            or_(Link.max_views.is_(None), Link.view_count < Link.max_views),
            has_not_expired(Link.expires_at, at),
            # Changed meanwhile: the password that was checked is not the link's any more.
            Link.password_hash.is_(None)
            if link.password_hash is None
            else Link.password_hash == link.password_hash,
        )
        .values(view_count=Link.view_count + 1, last_used_at=at)
    )
    if change_rows(session, counted) != 1:
        raise LinkNotFound
    session.add(LinkVisit(token_hash=visit_hash, link_id=link.id))
    record(session, actor, Action.LINK_OPENED, video_id=link.video_id, object_id=link.id)
    opened = select(Link.expires_at).where(Link.id.in_([link.id, *watcher.links]))
    ends = list(session.scalars(opened))
    return None if None in ends else max(end for end in ends if end is not None)
