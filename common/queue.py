"""Waking the workers that prepare videos. What is to be done is in the database; this only wakes.

A wake-up carries no arguments, so one that is lost or comes twice does no harm: a worker takes
whatever job waits, and looks by itself every now and then.
"""

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

NAME = "processing"
RUN_NEXT = "transcode_service.tasks.run_next"

log = structlog.get_logger()


def wake(redis: Redis) -> None:
    """Tell one worker that there is something to do. Without Redis, nobody is told."""
    try:
        Queue(NAME, connection=redis, serializer=JSONSerializer).enqueue(RUN_NEXT)
    except RedisError as error:
        log.warning("no worker was woken", detail=str(error))
