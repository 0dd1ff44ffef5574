"""The people and videos of the matrix."""

import pytest
from redis import Redis

from db.engine import Database
from tests.conftest import Site
from tests.permissions.world import World


@pytest.fixture
def world(site: Site, database: Database, redis: Redis) -> World:
    """Everybody and everything, in one process."""
    return World(site, database, redis)
