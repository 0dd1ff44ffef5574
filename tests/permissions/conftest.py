"""The people and videos of the matrices, made once for each of their files."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from redis import Redis

from db.engine import Database
from tests.conftest import Site, clear
from tests.permissions.matrix_state import MatrixState
from tests.permissions.sharing_state import SharingState


@pytest.fixture(scope="module")
def emptied(
    shared_site: Site, shared_database: Database, migrated: str, redis_url: str
) -> Iterator[tuple[Site, Database, Redis]]:
    """The site of all tests of this process, and its stores, which are empty."""
    clear(shared_database, migrated)
    shared_site.begin_again()
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        redis.flushall()
        yield shared_site, shared_database, redis


@pytest.fixture(scope="module")
def whole_world(emptied: tuple[Site, Database, Redis]) -> Iterator[MatrixState]:
    """Everybody and everything of the first matrix."""
    with closing(MatrixState(*emptied)) as state:
        yield state


@pytest.fixture
def world(whole_world: MatrixState) -> MatrixState:
    """Everybody and everything, in one process."""
    whole_world.site.forget_changes()
    whole_world.rebuild()
    return whole_world


@pytest.fixture(scope="module")
def all_shared(emptied: tuple[Site, Database, Redis]) -> Iterator[SharingState]:
    """Everything that is shared in the second matrix."""
    with closing(SharingState(*emptied)) as state:
        yield state


@pytest.fixture
def shared(all_shared: SharingState) -> SharingState:
    """Everything that is shared."""
    all_shared.site.forget_changes()
    all_shared.put_back()
    return all_shared
