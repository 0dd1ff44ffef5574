"""Work that waits for stores that are unavailable."""

from collections.abc import Callable
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

from common.storage import StorageError
from db.engine import DatabaseUnavailable

T = TypeVar("T")

log = structlog.get_logger()


def wait_for_stores(work: Callable[[], T], *, pause: Callable[[], bool]) -> T | None:
    """Do idempotent work again and again until the stores it needs answer; return its result.

    That it waits is logged once, and so is that it need no longer.

    :param pause: waits before the next try, and tells whether there should be one. It may raise.
    :returns: None if `pause` gave up.
    """
    waiting = False
    while True:
        try:
            result = work()
        except (DatabaseUnavailable, RedisError, StorageError) as error:
            if not waiting:
                log.warning("waiting for a store", store=type(error).__name__, detail=str(error))
            waiting = True
        else:
            if waiting:
                log.info("stores are back")
            return result
        if not pause():
            return None
