"""Random worlds: the pure rules, their SQL, and the cached entries say the same as the rules told
in other words.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select
from sqlalchemy.orm import Session

from common.access import VideoAccess, Viewer, Watcher, rights_of
from common.access_queries import groups_of, read_access, sees_collection, visible_to
from common.stores.video_cache import _decode, _encode
from db.engine import Database
from db.models import Collection, Role, Video, Visibility
from tests.worlds import (
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


@pytest.fixture
def populated(database: Database) -> Database:
    """A database with people in it."""
    database.write(add_people)
    return database


def check(session: Session, world: World) -> None:
    fill(session, world)
    ids = [video_id(number) for number in range(VIDEOS)]
    access = {key: _decode(_encode(value)) for key, value in read_access(session, ids).items()}
    gone = VideoAccess(None, Visibility.PRIVATE)
    for person in (None, *range(PEOPLE)):
        viewer = None if person is None else Viewer(person + 1, f"person{person}", Role.VIEWER)
        groups = frozenset() if viewer is None else groups_of(session, viewer.id)
        for opened in ({}, {0}, {0, 1}) if person in (None, 0) else ({},):
            links = frozenset(f"link{number}" for number in opened)
            watcher = Watcher(viewer, groups, links)
            listed = set(session.scalars(select(Video.id).where(visible_to(watcher))))
            for number, video in enumerate(ids):
                wanted = expected(world, person, set(opened), number)
                assert rights_of(watcher, access.get(video) or gone) == wanted
                assert (video in listed) == wanted.watch
            seen = set(session.scalars(select(Collection.id).where(sees_collection(watcher))))
            assert seen == _collections_of(world, person, set(opened))


def _collections_of(world: World, person: int | None, opened: set[int]) -> set[str]:
    seen = {f"collection{n}" for n, (owner, _) in enumerate(world.collections) if owner == person}
    for grant in world.grants:
        if person is not None and not grant.on_video and named(world, grant, person):
            seen |= {f"collection{grant.number}"} if holds(grant.expires) else set()
    for number in opened & set(range(len(world.links))):
        link = world.links[number]
        if not link.on_video and holds(link.expires):
            seen.add(f"collection{link.number}")
    return seen


def test_the_rules_their_sql_and_the_cache_agree(populated: Database) -> None:
    @settings(
        max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(world=worlds)
    def agree(world: World) -> None:
        with Session(populated.engine) as session:
            check(session, world)
            session.rollback()

    agree()
