"""Who can watch a video, and why: the list that its owner, and those who may share it, see.

It is made of the same data that decides on access (`common.access_queries.read_access`), one entry
for each reason.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, select
from sqlalchemy.orm import Session

from common.access import EffectiveGrant, EffectiveLink, VideoAccess
from common.access_queries import has_not_expired, read_access
from common.formatting import iso_time
from common.translation import gettext, ngettext
from db.engine import transaction
from db.models import (
    Collection,
    Grant,
    Group,
    GroupMember,
    Level,
    Link,
    Position,
    User,
    Video,
    Visibility,
    now,
)

MEMBERS_NAMED = 12
"""Members of a group that the list names; it counts the others."""


class EntryKind(enum.StrEnum):
    """Whom an entry lets in."""

    OWNER = "owner"
    EVERYBODY = "everybody"
    MEMBERS = "members"
    USER = "user"
    GROUP = "group"
    LINK = "link"


@dataclass(frozen=True)
class Via:
    """The collection through which a video is shared."""

    collection: str
    title: str


@dataclass(frozen=True)
class AccessEntry:
    """One reason why somebody can watch.

    :ivar name: of the person or group, or the label of the link.
    :ivar via: the collection that is shared; None: the video itself is.
    :ivar last_watched_at: of a group, the last time that any member did.
    :ivar grant: the id of the grant; of a grant through a collection, the collection's.
    :ivar is_disabled: whether it is an account that is disabled, so that nobody can use it.
    :ivar member_count: people in the group.
    :ivar members: names of some of them.
    """

    kind: EntryKind
    name: str
    level: Level
    via: Via | None = None
    expires_at: datetime | None = None
    last_watched_at: datetime | None = None
    grant: str | None = None
    link: str | None = None
    user_id: int | None = None
    group_id: str | None = None
    is_disabled: bool = False
    member_count: int = 0
    members: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        via = {"collection": self.via.collection, "title": self.via.title} if self.via else None
        return {
            "kind": self.kind,
            "name": self.name,
            "level": self.level,
            "via": via,
            "expires_at": iso_time(self.expires_at),
            "last_watched_at": iso_time(self.last_watched_at),
            "grant": self.grant,
            "link": self.link,
            "disabled": self.is_disabled,
            "members": self.member_count if self.kind is EntryKind.GROUP else None,
        }


@dataclass(frozen=True)
class AccessList:
    """Everyone who can watch a video, or see a collection, which has no visibility of its own."""

    visibility: Visibility | None
    downloadable: bool
    entries: list[AccessEntry]

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "visibility": self.visibility,
            "people": [entry.as_json() for entry in self.entries],
        }

    @property
    def summary(self) -> str:
        """With how many it is shared: `3 people, 1 group, 2 links`; empty: with nobody."""
        people = {entry.user_id for entry in self.entries if entry.kind is EntryKind.USER}
        groups = {entry.group_id for entry in self.entries if entry.kind is EntryKind.GROUP}
        links = {entry.link for entry in self.entries if entry.kind is EntryKind.LINK}
        counts = [
            ngettext("%(num)d person", "%(num)d people", len(people)) if people else "",
            ngettext("%(num)d group", "%(num)d groups", len(groups)) if groups else "",
            ngettext("%(num)d link", "%(num)d links", len(links)) if links else "",
        ]
        return ", ".join(filter(None, counts))


@transaction(writes=False)
def load_access_list(session: Session, video: Video) -> AccessList:
    """Return who can watch a video, in a constant number of queries.

    The owner comes first, then whom its visibility names, people, groups and links, by name.
    """
    access = read_access(session, [video.id]).get(video.id)
    entries = [] if access is None else _entries(session, access, video.id)
    return AccessList(video.visibility, video.downloadable, entries)


def load_collection_access(session: Session, collection: Collection) -> AccessList:
    """Return who can see a collection, as :func:`load_access_list` does for a video."""
    at = now()

    def valid(model: type[Grant] | type[Link]) -> tuple[ColumnElement[bool], ...]:
        return model.collection_id == collection.id, has_not_expired(model.expires_at, at)

    grants = session.scalars(select(Grant).where(*valid(Grant)))
    links = session.scalars(select(Link).where(*valid(Link)))
    access = VideoAccess(
        owner_id=collection.owner_id,
        visibility=Visibility.PRIVATE,
        grants=tuple(
            EffectiveGrant(g.id, g.level, g.user_id, g.group_id, expires_at=g.expires_at)
            for g in grants
        ),
        links=tuple(EffectiveLink(x.id, x.level, expires_at=x.expires_at) for x in links),
    )
    return AccessList(None, False, _entries(session, access, ""))


def _entries(session: Session, access: VideoAccess, video_id: str) -> list[AccessEntry]:
    if access.owner_id is None:
        return []
    users = _users(session, access, video_id)
    entries = [AccessEntry(EntryKind.OWNER, level=Level.SHARE, **_of_user(users[access.owner_id]))]
    if not access.is_binned:
        titles = _titles(session, [*access.grants, *access.links])
        entries += _visibility_entries(access)
        entries += sorted(_user_entries(access, titles, users), key=_by_name)
        entries += sorted(_group_entries(session, access, titles, video_id), key=_by_name)
        entries += sorted(_link_entries(session, access, titles), key=_by_name)
    return entries


def _users(session: Session, access: VideoAccess, video_id: str) -> dict[int | None, Row[Any]]:
    """Return the owner and the people that grants name, and when they last watched, by id."""
    ids = {access.owner_id, *(grant.user_id for grant in access.grants)} - {None}
    watched = and_(Position.user_id == User.id, Position.video_id == video_id)
    wanted = (
        select(User.id, User.name, User.disabled_at, Position.watched_at)
        .outerjoin(Position, watched)
        .where(User.id.in_(ids))
    )
    rows: Iterable[Row[Any]] = session.execute(wanted)
    return {row.id: row for row in rows}


def _of_user(user: Row[Any]) -> dict[str, Any]:
    """Return what the entries of the owner and of other people have in common."""
    return {
        "name": user.name,
        "last_watched_at": user.watched_at,
        "user_id": user.id,
        "is_disabled": user.disabled_at is not None,
    }


def _visibility_entries(access: VideoAccess) -> list[AccessEntry]:
    level = Level.DOWNLOAD if access.downloadable else Level.WATCH
    if access.visibility is Visibility.PUBLIC:
        return [AccessEntry(EntryKind.EVERYBODY, gettext("Anyone"), level)]
    if access.visibility is Visibility.MEMBERS:
        return [AccessEntry(EntryKind.MEMBERS, gettext("Everyone with an account"), level)]
    return []


def _user_entries(
    access: VideoAccess, titles: dict[str, str], users: dict[int | None, Row[Any]]
) -> list[AccessEntry]:
    return [
        AccessEntry(
            EntryKind.USER,
            level=grant.level,
            **_of_user(users[grant.user_id]),
            **_shared(grant, titles),
            grant=grant.id,
        )
        for grant in access.grants
        if grant.user_id in users
    ]


def _group_entries(
    session: Session, access: VideoAccess, titles: dict[str, str], video_id: str
) -> list[AccessEntry]:
    grants = [grant for grant in access.grants if grant.group_id is not None]
    ids = {grant.group_id for grant in grants if grant.group_id is not None}
    names = dict(session.execute(select(Group.id, Group.name).where(Group.id.in_(ids))).all())
    counts, members = _members(session, ids)
    watched = _group_watched_at(session, ids, video_id)
    return [
        AccessEntry(
            EntryKind.GROUP,
            names[grant.group_id],
            grant.level,
            last_watched_at=watched.get(grant.group_id),
            group_id=grant.group_id,
            member_count=counts.get(grant.group_id, 0),
            members=tuple(members.get(grant.group_id, ())),
            **_shared(grant, titles),
            grant=grant.id,
        )
        for grant in grants
        if grant.group_id is not None and grant.group_id in names
    ]


def _members(
    session: Session, group_ids: Iterable[str]
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Return how many people are in each group, and the names of the first ones."""
    numbered = (
        select(
            GroupMember.group_id,
            User.name,
            func.count().over(partition_by=GroupMember.group_id).label("total"),
            func.row_number()
            .over(partition_by=GroupMember.group_id, order_by=User.name_key)
            .label("place"),
        )
        .join(User, User.id == GroupMember.user_id)
        .where(GroupMember.group_id.in_(group_ids))
        .subquery()
    )
    wanted = select(numbered).where(numbered.c.place <= MEMBERS_NAMED).order_by(numbered.c.place)
    counts: dict[str, int] = {}
    names: dict[str, list[str]] = {}
    for row in session.execute(wanted):
        counts[row.group_id] = row.total
        names.setdefault(row.group_id, []).append(row.name)
    return counts, names


def _link_entries(
    session: Session, access: VideoAccess, titles: dict[str, str]
) -> list[AccessEntry]:
    ids = [link.id for link in access.links]
    rows = session.execute(select(Link.id, Link.label, Link.last_used_at).where(Link.id.in_(ids)))
    found = {row.id: row for row in rows}
    return [
        AccessEntry(
            EntryKind.LINK,
            found[link.id].label,
            link.level,
            last_watched_at=found[link.id].last_used_at,
            **_shared(link, titles),
            link=link.id,
        )
        for link in access.links
        if link.id in found
    ]


def _shared(source: EffectiveGrant | EffectiveLink, titles: dict[str, str]) -> dict[str, Any]:
    """Return what grants and links have in common."""
    collection = source.collection_id
    return {
        "via": Via(collection, titles.get(collection, "")) if collection is not None else None,
        "expires_at": source.expires_at,
    }


def _titles(session: Session, sources: Iterable[EffectiveGrant | EffectiveLink]) -> dict[str, str]:
    ids = {source.collection_id for source in sources if source.collection_id is not None}
    wanted = select(Collection.id, Collection.title).where(Collection.id.in_(ids))
    return dict(session.execute(wanted).all())


def _group_watched_at(
    session: Session, group_ids: Iterable[str], video_id: str
) -> dict[str, datetime]:
    wanted = (
        select(GroupMember.group_id, func.max(Position.watched_at))
        .join(Position, Position.user_id == GroupMember.user_id)
        .where(GroupMember.group_id.in_(group_ids), Position.video_id == video_id)
        .group_by(GroupMember.group_id)
    )
    return dict(session.execute(wanted).all())


def _by_name(entry: AccessEntry) -> tuple[str, bool, str]:
    return entry.name.casefold(), entry.via is not None, entry.grant or entry.link or ""
