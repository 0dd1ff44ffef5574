"""Random worlds of people, groups, videos, collections, grants and links, and the rules of access
told in other words than in the product.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from common.access import Rights
from db.models import (
    Base,
    Collection,
    CollectionItem,
    Grant,
    Group,
    GroupMember,
    Level,
    Link,
    Role,
    User,
    Video,
    Visibility,
    now,
)

# How many worlds are tried; `make soak` tries more.
COUNT = int(os.environ.get("WORLDS", "500"))
PEOPLE, GROUPS, VIDEOS, COLLECTIONS = 4, 2, 3, 2
LEVELS = list(Level)


class Expiry:
    """When something ends, in days from now."""

    NEVER, PAST, FUTURE = None, -1, 1


@dataclass
class GrantPlan:
    """A grant on a video or collection (by number) to a user or group (by number)."""

    on_video: bool
    number: int
    to_user: bool
    subject: int
    level: Level
    expires: int | None


@dataclass
class LinkPlan:
    """A link to a video or collection (by number)."""

    on_video: bool
    number: int
    level: Level
    expires: int | None


@dataclass
class VideoPlan:
    """A video and its state."""

    owner: int
    visibility: Visibility
    downloadable: bool
    playable: bool
    is_binned: bool
    is_rejected: bool
    is_deleted: bool


@dataclass
class World:
    """Everything that access depends on."""

    members: list[set[int]]  # by group
    videos: list[VideoPlan]
    collections: list[tuple[int, set[int]]]  # owner and items
    grants: list[GrantPlan]
    links: list[LinkPlan]


people = st.integers(0, PEOPLE - 1)
expiries = st.sampled_from([Expiry.NEVER, Expiry.NEVER, Expiry.FUTURE, Expiry.PAST])
rarely = st.sampled_from([False] * 7 + [True])
worlds = st.builds(
    World,
    members=st.lists(st.sets(people), min_size=GROUPS, max_size=GROUPS),
    videos=st.lists(
        st.builds(
            VideoPlan,
            owner=people,
            visibility=st.sampled_from([Visibility.PRIVATE, Visibility.PRIVATE, *Visibility]),
            downloadable=st.booleans(),
            playable=st.booleans(),
            is_binned=rarely,
            is_rejected=rarely,
            is_deleted=rarely,
        ),
        min_size=VIDEOS,
        max_size=VIDEOS,
    ),
    collections=st.lists(
        st.tuples(people, st.sets(st.integers(0, VIDEOS - 1))),
        min_size=COLLECTIONS,
        max_size=COLLECTIONS,
    ),
    grants=st.lists(
        st.builds(
            GrantPlan,
            on_video=st.booleans(),
            number=st.integers(0, 1),
            to_user=st.booleans(),
            subject=st.integers(0, 3),
            level=st.sampled_from([*LEVELS, Level.SHARE]),
            expires=expiries,
        ),
        max_size=5,
        unique_by=lambda g: (g.on_video, g.number, g.to_user, g.subject % (4 if g.to_user else 2)),
    ),
    links=st.lists(
        st.builds(
            LinkPlan,
            on_video=st.booleans(),
            number=st.integers(0, 1),
            level=st.sampled_from([Level.WATCH, Level.DOWNLOAD]),
            expires=expiries,
        ),
        max_size=2,
    ),
)


# The rules, told once more -----------------------------------------------------------------------


def holds(expires: int | None) -> bool:
    return expires != Expiry.PAST


def named(world: World, grant: GrantPlan, person: int) -> bool:
    if grant.to_user:
        return grant.subject == person
    return person in world.members[grant.subject % GROUPS]


def may_pass_on(world: World, person: int, video: int) -> bool:
    """Whether a collection's owner may share a video that they put into it."""
    if world.videos[video].owner == person:
        return True
    return any(
        g.on_video
        and g.number == video
        and g.level is Level.SHARE
        and holds(g.expires)
        and named(world, g, person)
        for g in world.grants
    )


def reaches(world: World, on_video: bool, number: int, video: int) -> bool:
    if on_video:
        return number == video
    owner, items = world.collections[number]
    return video in items and may_pass_on(world, owner, video)


def expected(world: World, person: int | None, opened: set[int], video: int) -> Rights:
    plan = world.videos[video]
    owns = plan.owner == person and not plan.is_deleted
    levels: list[Level] = []
    original = owns
    if not (plan.is_binned or plan.is_rejected or plan.is_deleted):
        is_member = plan.visibility is Visibility.MEMBERS and person is not None
        if plan.visibility is Visibility.PUBLIC or is_member:
            levels.append(Level.DOWNLOAD if plan.downloadable else Level.WATCH)
            original = True
        levels += [
            g.level
            for g in world.grants
            if person is not None
            and named(world, g, person)
            and holds(g.expires)
            and reaches(world, g.on_video, g.number, video)
        ]
        levels += [
            link.level
            for number, link in enumerate(world.links)
            if number in opened
            and holds(link.expires)
            and reaches(world, link.on_video, link.number, video)
        ]
        original = (
            original or Level.DOWNLOAD in levels or bool({Level.EDIT, Level.SHARE} & {*levels})
        )
    best = max((LEVELS.index(level) for level in levels), default=-1)
    return Rights(
        owns=owns,
        watch=owns or best >= 0,
        play_original=plan.playable and original,
        download=owns or best >= LEVELS.index(Level.DOWNLOAD),
        edit=owns or best >= LEVELS.index(Level.EDIT),
        share=owns or best >= LEVELS.index(Level.SHARE),
        remove=owns,
    )


# -------------------------------------------------------------------------------------------------


def video_id(number: int, world: int = 0) -> str:
    """Return the id of a video by its number, and that of its world."""
    return f"{world}video{number}".ljust(22, "0")


Rows = list[dict[str, object]]


def fill(session: Session, worlds: Sequence[World]) -> None:
    """Store some worlds side by side; the people are stored already, and live in all of them."""
    at = now()

    def moment(expires: int | None) -> object:
        return None if expires is None else at + timedelta(days=expires)

    groups: Rows = []
    members: Rows = []
    videos: Rows = []
    collections: Rows = []
    items: Rows = []
    grants: Rows = []
    links: Rows = []
    for w, world in enumerate(worlds):
        for number, people_in_it in enumerate(world.members):
            groups.append({"id": f"{w}group{number}", "name": "g"})
            members += [{"group_id": f"{w}group{number}", "user_id": m + 1} for m in people_in_it]
        for number, plan in enumerate(world.videos):
            videos.append(
                {
                    "id": video_id(number, w),
                    "owner_id": plan.owner + 1,
                    "title": "t",
                    "size": 1,
                    "visibility": plan.visibility,
                    "downloadable": plan.downloadable,
                    "playable": plan.playable,
                    "binned_at": at if plan.is_binned else None,
                    "rejection_reason": "no" if plan.is_rejected else None,
                    "deleted_at": at if plan.is_deleted else None,
                }
            )
        for number, (owner, videos_in_it) in enumerate(world.collections):
            collections.append({"id": f"{w}coll{number}", "owner_id": owner + 1, "title": "c"})
            items += [
                {"collection_id": f"{w}coll{number}", "video_id": video_id(item, w), "place": 0}
                for item in videos_in_it
            ]
        for number, grant in enumerate(world.grants):
            grants.append(
                {
                    "id": f"{w}grant{number}",
                    "video_id": video_id(grant.number, w) if grant.on_video else None,
                    "collection_id": None if grant.on_video else f"{w}coll{grant.number}",
                    "user_id": grant.subject + 1 if grant.to_user else None,
                    "group_id": None if grant.to_user else f"{w}group{grant.subject % GROUPS}",
                    "level": grant.level,
                    "expires_at": moment(grant.expires),
                }
            )
        for number, link in enumerate(world.links):
            links.append(
                {
                    "id": f"{w}link{number}",
                    "token_hash": f"{w}-{number}",
                    "video_id": video_id(link.number, w) if link.on_video else None,
                    "collection_id": None if link.on_video else f"{w}coll{link.number}",
                    "level": link.level,
                    "created_by_id": 1,
                    "expires_at": moment(link.expires),
                }
            )
    tables: list[tuple[type[Base], Rows]] = [
        (Group, groups),
        (GroupMember, members),
        (Video, videos),
        (Collection, collections),
        (CollectionItem, items),
        (Grant, grants),
        (Link, links),
    ]
    for table, rows in tables:
        if rows:
            session.execute(insert(table), rows)


def empty(session: Session) -> None:
    """Remove every world; the people stay."""
    for table in (Grant, Link, CollectionItem, Collection, Video, GroupMember, Group):
        session.execute(delete(table))


def add_people(session: Session) -> None:
    """Store the people of every world."""
    for number in range(PEOPLE):
        name = f"person{number}"
        session.add(
            User(id=number + 1, name=name, name_key=name, password_hash="-", role=Role.VIEWER)
        )
