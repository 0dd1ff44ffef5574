"""Share links: making, changing, revoking and listing them.

A link opens one video or one collection to whoever has its address. The address holds a token of
256 random bits, which is told once and stored as a hash. `streaming_service.sharing.open_link`
opens one.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from common.access import Viewer
from common.access_queries import has_not_expired
from common.audit import Action, Actor, record, require_signed_in
from common.errors import Conflict, NotFound
from common.ids import is_id, new_id
from common.passwords import Passwords
from common.stores import Stores
from common.stores.read_through import Mark
from common.stores.sessions import token_hash
from common.translation import gettext
from db.engine import transaction
from db.models import Link, User, Video, now
from streaming_service.access_changes import changes_access
from streaming_service.sharing.link_rules import LinkFields, LinkRules, check_fields
from streaming_service.sharing.objects import SharedObject, get_object_to_share, hold_back

LINK_LIMIT = 100
"""Links of a video or collection that have not expired."""


class TooManyLinks(Conflict):
    """The video or collection has as many links as it may."""

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "There are %(link_limit)s links already. Revoke one that is no longer needed.",
                link_limit=LINK_LIMIT,
            )
        )


@dataclass(frozen=True)
class LinkMaker:
    """What making and changing links needs.

    :ivar rules: what the administrator asks of links.
    """

    stores: Stores
    passwords: Passwords
    rules: LinkRules


def create_link(
    maker: LinkMaker, actor: Actor, what: SharedObject, fields: LinkFields
) -> tuple[Link, str]:
    """Make a link; return it, and its token, which nobody is told again.

    Without `expires_at` among the fields it ends after 30 days, or sooner if the site says so.

    :raises NotFound: it is not theirs to share.
    :raises Unprocessable: a field is wrong, or the site asks for more.
    :raises TooManyLinks: there are 100.
    :raises HashingBusy: too many passwords are being hashed.
    """
    # Checked first, so that a stranger can neither make us hash nor keep a video uncached.
    get_object_to_share(maker.stores.database, require_signed_in(actor), what)
    values: dict[str, Any] = dict(check_fields(fields))
    values.setdefault("expires_at", maker.rules.default_expiry())
    maker.rules.check_expiry(values["expires_at"], created_at=now())
    maker.rules.check_password(has_password=values.get("password") is not None)
    token = secrets.token_urlsafe(32)
    values = _with_hash(maker.passwords, values) | {"token_hash": token_hash(token)}
    return _insert(maker.stores, actor, what, values), token


@changes_access
def _insert(
    session: Session, mark: Mark, actor: Actor, what: SharedObject, values: dict[str, Any]
) -> Link:
    viewer = require_signed_in(actor)
    get_object_to_share(session, viewer, what)
    hold_back(session, mark, what)
    if what.video_id is not None:  # so that two requests do not both add the hundredth
        session.execute(select(Video.id).where(Video.id == what.video_id).with_for_update())
    count = select(func.count()).select_from(Link).where(what.has(Link), _has_not_expired())
    if session.scalars(count).one() >= LINK_LIMIT:
        raise TooManyLinks
    link = Link(
        id=new_id(),
        video_id=what.video_id,
        collection_id=what.collection_id,
        created_by_id=viewer.id,
        **values,
    )
    session.add(link)
    session.flush()
    _record(session, actor, Action.LINK_CREATED, link)
    return link


def change_link(maker: LinkMaker, actor: Actor, link_id: str, fields: LinkFields) -> Link:
    """Change a link. From the next request on its new level and expiry count.

    A new password is asked of those who open the link from now on.

    :raises NotFound: there is no such link, or it is not theirs to change.
    :raises Unprocessable: a field is wrong, or the site asks for more.
    :raises HashingBusy: too many passwords are being hashed.
    """
    link = get_link(maker.stores.database, require_signed_in(actor), link_id)
    values: dict[str, Any] = dict(check_fields(fields))
    if "expires_at" in values or not maker.rules.may_last_forever:
        expires_at = values.get("expires_at", link.expires_at)
        maker.rules.check_expiry(expires_at, created_at=link.created_at)
    maker.rules.check_password(has_password=values.get("password", link.password_hash) is not None)
    return _update(maker.stores, actor, link_id, _with_hash(maker.passwords, values))


@changes_access
def _update(
    session: Session, mark: Mark, actor: Actor, link_id: str, values: dict[str, Any]
) -> Link:
    link = get_link(session, require_signed_in(actor), link_id)
    hold_back(session, mark, SharedObject.of(link))
    for name, value in values.items():
        setattr(link, name, value)
    _record(session, actor, Action.LINK_CHANGED, link)
    return link


@changes_access
def revoke_link(session: Session, mark: Mark, actor: Actor, link_id: str) -> None:
    """Revoke a link: from the next request on it opens nothing, and who has opened it is out.

    :raises NotFound: there is no such link, or it is not theirs to revoke.
    """
    link = get_link(session, require_signed_in(actor), link_id, to_revoke=True)
    hold_back(session, mark, SharedObject.of(link))
    _record(session, actor, Action.LINK_REVOKED, link)
    session.delete(link)


@changes_access
def revoke_all_links(session: Session, mark: Mark, actor: Actor) -> None:
    """Revoke every link that somebody has made, expired or not."""
    viewer = require_signed_in(actor)
    # Always in the same order, in which collections are locked.
    wanted = (
        select(Link)
        .where(Link.created_by_id == viewer.id)
        .order_by(Link.collection_id, Link.video_id)
    )
    links = list(session.scalars(wanted))
    hold_back(session, mark, *dict.fromkeys(map(SharedObject.of, links)))
    for link in links:
        _record(session, actor, Action.LINK_REVOKED, link)
        session.delete(link)


@transaction(writes=False)
def get_link(session: Session, viewer: Viewer, link_id: str, *, to_revoke: bool = False) -> Link:
    """Return a link of a video or collection that a viewer may share.

    :param to_revoke: whoever made a link may revoke it, even if they may share no longer.
    :raises NotFound: there is none, or it is not for them.
    """
    link = session.get(Link, link_id) if is_id(link_id) else None
    if link is None:
        raise NotFound
    if not (to_revoke and link.created_by_id == viewer.id):
        get_object_to_share(session, viewer, SharedObject.of(link))
    return link


def list_links(session: Session, what: SharedObject) -> list[Link]:
    """Return the links of a video or collection that have not expired, the newest first.

    The caller has checked that the viewer may share it.
    """
    return _list(session, what.has(Link))


@transaction(writes=False)
def list_own_links(session: Session, viewer: Viewer) -> list[Link]:
    """Return the links that a viewer has made and that have not expired, the newest first."""
    return _list(session, Link.created_by_id == viewer.id)


def _list(session: Session, condition: ColumnElement[bool]) -> list[Link]:
    wanted = select(Link).where(condition, _has_not_expired())
    return list(session.scalars(wanted.order_by(Link.created_at.desc(), Link.id)))


@transaction(writes=False)
def count_links(session: Session) -> Sequence[Row[str, int]]:
    """Return the `name` of each person, and how many links (`total`) they have, most first.

    Nothing says what they lead to.
    """
    total = func.count().label("total")
    wanted = (
        select(User.name, total)
        .join(Link, Link.created_by_id == User.id)
        .where(_has_not_expired())
        .group_by(User.id, User.name)
        .order_by(total.desc(), User.name)
    )
    return session.execute(wanted).all()


def is_used_up(link: Link) -> bool:
    """Tell whether a link has been opened as often as it may."""
    return link.max_views is not None and link.view_count >= link.max_views


def _has_not_expired() -> ColumnElement[bool]:
    return has_not_expired(Link.expires_at, now())


def _with_hash(passwords: Passwords, values: dict[str, Any]) -> dict[str, Any]:
    """Replace the password among some fields by its hash."""
    hashed = {name: value for name, value in values.items() if name != "password"}
    if "password" in values:
        password = values["password"]
        hashed["password_hash"] = None if password is None else passwords.hash(password)
    return hashed


def _record(session: Session, actor: Actor, action: Action, link: Link) -> None:
    record(
        session,
        actor,
        action,
        video_id=link.video_id,
        object_id=link.id,
        collection=link.collection_id,
        label=link.label,
        level=link.level,
        expires_at=link.expires_at,
        max_views=link.max_views,
        has_password=link.password_hash is not None,
    )
