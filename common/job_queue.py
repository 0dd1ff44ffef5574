"""The queue: a Redis list that wakes the workers of the transcode service.

The rows of `jobs` are the truth, and a message says only "look". A lost message costs a worker's
next look at the database, which is a second or two away, and no job.
"""

import structlog
from redis import Redis
from redis.exceptions import RedisError

WAKE_KEY = "jobs:wake"

_LONGEST = 16  # messages; each leads a worker to all the jobs there are

log = structlog.get_logger()


def wake_workers(redis: Redis, count: int = 1) -> bool:
    """Wake workers, after the commit that gave them something to do; tell whether it was possible.

    :param count: how many workers there is something to do for.
    """
    messages = ["look"] * min(count, _LONGEST)
    if not messages:
        return True
    try:
        with redis.pipeline() as pipeline:
            pipeline.lpush(WAKE_KEY, *messages)
            pipeline.ltrim(WAKE_KEY, 0, _LONGEST - 1)
            pipeline.execute()
    except RedisError as error:
        log.warning("workers could not be woken", detail=str(error))
        return False
    return True


def wait(redis: Redis, *, seconds: float) -> bool:
    """Wait for a message and take it; tell whether one came.

    :param redis: a client with a `patience` of `seconds` at least: see `connect_redis`.
    :raises redis.exceptions.RedisError: Redis cannot be reached.
    """
    return redis.blpop([WAKE_KEY], timeout=seconds) is not None
