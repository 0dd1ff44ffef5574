"""The people and videos of the matrix."""

import pytest
from redis import Redis

from db.engine import Database
from tests.conftest import Site
from tests.permissions.matrix_state import MatrixState


@pytest.fixture
def world(site: Site, database: Database, redis: Redis) -> MatrixState:
    """Everybody and everything, in one process."""
    return MatrixState(site, database, redis)
