"""Random worlds: the pure rules, their SQL, and the cached entries say the same as the rules told
in other words.
"""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from common.access import VideoAccess, Viewer, Watcher, rights_of
from common.access_queries import asked_by, groups_of, read_access, sees_collection, visible_to
from common.stores.video_cache import _decode, _encode
from db.engine import Database
from db.models import Collection, Role, Video, Visibility
from tests.worlds import (
    COLLECTIONS,
    COUNT,
    PEOPLE,
    VIDEOS,
    World,
    add_people,
    expected,
    fill,
    holds,
    named,
    video_id,
    worlds,
)

pytestmark = pytest.mark.on_mysql

SIDE_BY_SIDE = 20  # worlds in one database, since each query costs more than a row


@pytest.fixture
def populated(database: Database) -> Database:
    """A database with people in it."""
    database.write(add_people)
    return database


def check(session: Session, worlds: Sequence[World]) -> None:
    """Hold what the code says of every video, for everybody, against what is expected."""
    fill(session, worlds)
    ids = [video_id(number, w) for w in range(len(worlds)) for number in range(VIDEOS)]
    access = {key: _decode(_encode(value)) for key, value in read_access(session, ids).items()}
    gone = VideoAccess(None, Visibility.PRIVATE)
    for person in (None, *range(PEOPLE)):
        viewer = None if person is None else Viewer(person + 1, f"person{person}", Role.VIEWER)
        groups = frozenset() if viewer is None else groups_of(session, viewer.id)
        for opened in (set(), {0}, {0, 1}) if person in (None, 0) else (set(),):
            links = frozenset(f"{w}link{n}" for w in range(len(worlds)) for n in opened)
            watcher = Watcher(viewer, groups, links)
            asked = asked_by(watcher)
            videos = select(Video.id).where(visible_to(watcher)).params(asked)
            listed = set(session.scalars(videos))
            collections = select(Collection.id).where(sees_collection(watcher)).params(asked)
            seen = set(session.scalars(collections))
            for w, world in enumerate(worlds):
                for number in range(VIDEOS):
                    video = video_id(number, w)
                    wanted = expected(world, person, opened, number)
                    assert rights_of(watcher, access.get(video) or gone) == wanted
                    assert (video in listed) == wanted.watch
                for number in range(COLLECTIONS):
                    opens = sees(world, person, opened, number)
                    assert (f"{w}coll{number}" in seen) == opens


def sees(world: World, person: int | None, opened: set[int], collection: int) -> bool:
    """Whether somebody may open a collection."""
    owner, _ = world.collections[collection]
    granted = any(
        not g.on_video and g.number == collection and holds(g.expires) and named(world, g, person)
        for g in world.grants
        if person is not None
    )
    linked = any(
        n in opened and not link.on_video and link.number == collection and holds(link.expires)
        for n, link in enumerate(world.links)
    )
    return owner == person or granted or linked


def test_the_rules_their_sql_and_the_cache_agree(populated: Database) -> None:
    @seed(0)
    @settings(
        max_examples=COUNT // SIDE_BY_SIDE,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds=st.lists(worlds, min_size=SIDE_BY_SIDE, max_size=SIDE_BY_SIDE))
    def agree(worlds: list[World]) -> None:
        with Session(populated.engine) as session:
            check(session, worlds)
            session.rollback()

    agree()
