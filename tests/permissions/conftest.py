"""The people and videos of the matrix."""

from collections.abc import Iterator

import pytest
from redis import Redis

from db.engine import Database
from tests.conftest import Site
from tests.permissions.matrix_state import MatrixState


@pytest.fixture
def world(site: Site, database: Database, redis: Redis) -> Iterator[MatrixState]:
    """Everybody and everything, in one process."""
    state = MatrixState(site, database, redis)
    yield state
    state.close()
