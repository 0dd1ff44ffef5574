"""The queue: what wakes the workers of the transcode service when there is a job.

The rows of `jobs` are the truth, and a message says only "look". So one that is lost costs time
and no job: the reconciler of the transcode service sends another.
"""

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

QUEUE = "processing"
TASK = "transcode_service.tasks.run_next"

_ENOUGH = 16  # messages; each leads a worker to all the jobs there are
_KEEP_FAILED = 60  # seconds

log = structlog.get_logger()


def queue(redis: Redis) -> Queue:
    """Return the queue that workers listen to."""
    return Queue(QUEUE, connection=redis, serializer=JSONSerializer)


def wake_workers(redis: Redis, count: int = 1) -> bool:
    """Wake workers, after the commit that gave them something to do; tell whether it was possible.

    With Redis away nobody is woken now, and the reconciler does it later.

    :param count: how many workers there is something to do for.
    """
    try:
        waking = queue(redis)
        for _ in range(min(count, _ENOUGH - waking.count)):
            # A message is done when somebody looked, and nobody asks how that went.
            waking.enqueue(TASK, job_timeout=-1, result_ttl=0, failure_ttl=_KEEP_FAILED)
    except RedisError as error:
        log.warning("workers could not be woken", detail=str(error))
        return False
    return True
