"""The rules of `common.access` in SQL: who may see a video, and what decides on it.

A collection gives access only to those of its videos on which the collection's owner may share:
their own, and those on which they have a grant of level `share` on the video itself.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from common.access import EffectiveGrant, EffectiveLink, VideoAccess, Watcher, includes
from common.live import is_live, is_shown
from db.engine import transaction
from db.models import (
    Collection,
    CollectionItem,
    Grant,
    GroupMember,
    Level,
    Link,
    UTCDateTime,
    Video,
    Visibility,
    now,
)

_NEVER = type_coerce(null(), UTCDateTime())


def asked_by(watcher: Watcher) -> dict[str, Any]:
    """Return the parameters of the conditions of this module, for `Select.params`.

    The conditions hold parameters instead of values, so that each is made once: making one takes as
    long as running it.
    """
    viewer_id = None if watcher.viewer is None else watcher.viewer.id
    return {"viewer_id": viewer_id, "links": list(watcher.links), "at": watcher.at}


VIEWER_ID: BindParameter[int] = bindparam("viewer_id", type_=BigInteger())
_links: BindParameter[Any] = bindparam("links", expanding=True)
AT: BindParameter[datetime] = bindparam("at", type_=UTCDateTime())


def visible_to(watcher: Watcher) -> ColumnElement[bool]:
    """Return the condition that somebody may see a video: `may_watch` in SQL.

    The statement needs the parameters of :func:`asked_by`. It looks up the viewer's groups itself.
    A rejected video is its owner's alone, and so is one in the bin; lists that are not about the
    bin leave those out besides.
    """
    return _visible(is_viewer=watcher.viewer is not None, has_links=bool(watcher.links))


@cache
def _visible(*, is_viewer: bool, has_links: bool) -> ColumnElement[bool]:
    named = [Visibility.PUBLIC, Visibility.MEMBERS] if is_viewer else [Visibility.PUBLIC]
    ways: list[ColumnElement[bool]] = [Video.visibility.in_(named)]
    if is_viewer:
        ways.append(_granted())
    if has_links:
        ways.append(_reached_by(Link, Link.id.in_(_links)))
    shared = and_(is_shown(), or_(*ways))
    own = [Video.owner_id == VIEWER_ID] if is_viewer else []
    return and_(is_live(), or_(*own, shared))


def granted_to(watcher: Watcher) -> ColumnElement[bool]:
    """Return the condition that a grant names the viewer, or a group of theirs.

    Together with `visible_to` alone does it mean that they may watch. The statement needs the
    parameters of :func:`asked_by`.
    """
    return literal(False) if watcher.viewer is None else _granted()


@cache
def _granted() -> ColumnElement[bool]:
    return _reached_by(Grant, names_viewer())


def _reached_by(model: type[Grant] | type[Link], names: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that some grants or links reach a video, perhaps in a collection."""
    valid = and_(names, has_not_expired(model.expires_at, AT))
    directly = select(model.video_id).where(model.video_id.is_not(None), valid)
    collections = select(model.collection_id).where(model.collection_id.is_not(None), valid)
    # Only the items of these collections are looked at, and not those of all.
    reach = shareable_items(AT, CollectionItem.collection_id.in_(collections)).subquery()
    return or_(Video.id.in_(directly), Video.id.in_(select(reach.c.video_id)))


def sees_collection(watcher: Watcher, *, level: Level = Level.WATCH) -> ColumnElement[bool]:
    """Return the condition that somebody has a level on a collection, for whatever reason.

    The statement needs the parameters of :func:`asked_by`.
    """
    is_viewer = watcher.viewer is not None
    return _sees_collection(level, is_viewer=is_viewer, has_links=bool(watcher.links))


@cache
def _sees_collection(level: Level, *, is_viewer: bool, has_links: bool) -> ColumnElement[bool]:
    levels = [other for other in Level if includes(other, level)]
    ways: list[ColumnElement[bool]] = []
    if is_viewer:
        ways.append(Collection.owner_id == VIEWER_ID)
        valid = and_(names_viewer(), has_not_expired(Grant.expires_at, AT))
        granted = select(Grant.collection_id).where(
            Grant.collection_id.is_not(None), Grant.level.in_(levels), valid
        )
        ways.append(Collection.id.in_(granted))
    if has_links:
        opened = select(Link.collection_id).where(
            Link.collection_id.is_not(None),
            Link.id.in_(_links),
            Link.level.in_(levels),
            has_not_expired(Link.expires_at, AT),
        )
        ways.append(Collection.id.in_(opened))
    return or_(*ways) if ways else literal(False)


def shareable_items(at: datetime | BindParameter[Any], *where: ColumnElement[bool]) -> Select[Any]:
    """Return the items of collections whose owner may share the video.

    :param where: further conditions on `CollectionItem`.
    :returns: `collection_id`, `video_id`, and `until`, when that right ends (NULL: never).
    """
    video, right, member = aliased(Video), aliased(Grant), aliased(GroupMember)
    item = select(CollectionItem.collection_id, CollectionItem.video_id).join(
        Collection, Collection.id == CollectionItem.collection_id
    )
    own = item.add_columns(_NEVER.label("until")).join(
        video,
        and_(video.id == CollectionItem.video_id, video.owner_id == Collection.owner_id),
    )
    groups = select(member.group_id).where(member.user_id == Collection.owner_id)
    by_grant = item.add_columns(right.expires_at.label("until")).join(
        right,
        and_(
            right.video_id == CollectionItem.video_id,
            right.level == Level.SHARE,
            or_(
                right.user_id == Collection.owner_id,
                right.group_id.in_(groups.correlate(Collection)),
            ),
            has_not_expired(right.expires_at, at),
        ),
    )
    both = union_all(own.where(*where), by_grant.where(*where)).subquery()
    return select(both.c.collection_id, both.c.video_id, both.c.until)


def names_viewer() -> ColumnElement[bool]:
    """Return the condition that a grant is to the viewer, or to a group of theirs.

    The statement needs the parameters of :func:`asked_by`.
    """
    groups = select(GroupMember.group_id).where(GroupMember.user_id == VIEWER_ID)
    return or_(Grant.user_id == VIEWER_ID, Grant.group_id.in_(groups))


def has_not_expired(expires_at: Any, at: datetime | BindParameter[Any]) -> ColumnElement[bool]:
    """Return the condition that a grant or link still counts at a time.

    :param expires_at: its column; NULL is never.
    """
    return or_(expires_at.is_(None), expires_at > at)


@transaction(writes=False)
def groups_of(session: Session, user_id: int) -> frozenset[str]:
    """Return the ids of the groups that an account is a member of."""
    wanted = select(GroupMember.group_id).where(GroupMember.user_id == user_id)
    return frozenset(session.scalars(wanted))


def with_groups(session: Session, watcher: Watcher) -> Watcher:
    """Return a watcher with the groups that the database has now."""
    if watcher.viewer is None:
        return watcher
    groups = groups_of(session, watcher.viewer.id)
    return Watcher(watcher.viewer, groups, watcher.links, watcher.at)


@transaction(writes=False)
def read_access(session: Session, video_ids: Sequence[str]) -> dict[str, VideoAccess]:
    """Read what decides on access to some videos, in three queries.

    A video that is deleted, or not there, is left out. A rejected video is its owner's alone.
    Grants and links that have expired are left out.
    """
    at = now()
    rows = session.execute(
        select(
            Video.id,
            Video.owner_id,
            Video.visibility,
            Video.downloadable,
            Video.playable,
            Video.binned_at,
            Video.rejection_reason,
        ).where(Video.id.in_(video_ids), is_live())
    ).all()
    shared = [row.id for row in rows if row.binned_at is None and row.rejection_reason is None]
    grants = _read_grants(session, shared, at)
    links = _read_links(session, shared, at)
    return {
        row.id: VideoAccess(
            owner_id=row.owner_id,
            visibility=Visibility.PRIVATE if row.rejection_reason is not None else row.visibility,
            downloadable=row.downloadable,
            playable=row.playable,
            is_binned=row.binned_at is not None,
            grants=tuple(grants[row.id]),
            links=tuple(links[row.id]),
        )
        for row in rows
    }


def _read_grants(
    session: Session, video_ids: Sequence[str], at: datetime
) -> dict[str, list[EffectiveGrant]]:
    found: dict[str, list[EffectiveGrant]] = defaultdict(list)
    for row in session.execute(_GRANTS_REACHING, {"video_ids": video_ids, "at": at}):
        grant = EffectiveGrant(
            row.id,
            Level(row.level),
            row.user_id,
            row.group_id,
            row.collection_id,
            _earlier(row.expires_at, row.until),
        )
        found[row.reached].append(grant)
    return found


def _read_links(
    session: Session, video_ids: Sequence[str], at: datetime
) -> dict[str, list[EffectiveLink]]:
    found: dict[str, list[EffectiveLink]] = defaultdict(list)
    for row in session.execute(_LINKS_REACHING, {"video_ids": video_ids, "at": at}):
        link = EffectiveLink(
            row.id, Level(row.level), row.collection_id, _earlier(row.expires_at, row.until)
        )
        found[row.reached].append(link)
    return found


def _reaching(model: type[Grant] | type[Link], *columns: Any) -> Any:
    """Return the statement for the grants or links that reach some videos.

    Its parameters are `video_ids` and `at`. It is made once: making it takes as long as running it.
    """
    video_ids: BindParameter[Any] = bindparam("video_ids", expanding=True)
    valid = has_not_expired(model.expires_at, AT)
    reach = shareable_items(AT, CollectionItem.video_id.in_(video_ids)).subquery()
    direct = select(
        model.video_id.label("reached"), model.collection_id, _NEVER.label("until"), *columns
    ).where(model.video_id.in_(video_ids), valid)
    through = (
        select(reach.c.video_id.label("reached"), model.collection_id, reach.c.until, *columns)
        .join(reach, reach.c.collection_id == model.collection_id)
        .where(valid)
    )
    return union_all(direct, through)


_GRANTS_REACHING = _reaching(
    Grant, Grant.id, Grant.level, Grant.user_id, Grant.group_id, Grant.expires_at
)
_LINKS_REACHING = _reaching(Link, Link.id, Link.level, Link.expires_at)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    times = [time for time in (one, other) if time is not None]
    return min(times) if times else None
