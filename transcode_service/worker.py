"""A worker: a process that works on one job at a time.

    python -m transcode_service.worker NAME

`python -m transcode_service` starts it and keeps it running. A message in Redis wakes it; without
Redis it polls the database. SIGTERM hands the job back at once.
"""

import os
import sys
import threading
from functools import partial

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from common.job_queue import wait
from common.process.daemon import run_daemon
from common.process.store_retry import wait_for_stores
from transcode_service.run_job import run_until_empty
from transcode_service.settings import TranscodeSettings
from transcode_service.worker_context import WorkerContext

WAIT = 1.0
"""Seconds between two looks at the database, and until an idle worker notices SIGTERM."""

log = structlog.get_logger()


def run(context: WorkerContext, wake_ups: Redis) -> None:
    """Work until told to stop.

    :param wake_ups: a client of :func:`connect_for_waiting`.
    """

    def pause() -> bool:
        return not context.stopping.wait(WAIT)

    without_redis = False
    while not context.stopping.is_set():
        wait_for_stores(partial(run_until_empty, context), pause=pause)
        if context.stopping.is_set():
            return
        try:
            wait(wake_ups, seconds=WAIT)
            without_redis = False
        except RedisError as error:
            if not without_redis:
                log.warning("working without Redis", detail=str(error))
            without_redis = True
            context.stopping.wait(WAIT)


def connect_for_waiting(url: str) -> Redis:
    """Make a client that may wait for `WAIT` seconds; nothing is opened before the first call."""
    return Redis.from_url(
        url,
        socket_connect_timeout=1,
        socket_timeout=WAIT + 1,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


def main() -> None:
    """Read the settings, and work until SIGTERM."""
    [name] = sys.argv[1:]

    def work(settings: TranscodeSettings, stopping: threading.Event, _heartbeat: object) -> None:
        structlog.contextvars.bind_contextvars(worker=name)
        log.info("worker started", pid=os.getpid())
        context = WorkerContext.of(settings, name=name, stopping=stopping)
        run(context, connect_for_waiting(settings.common.redis_url))
        log.info("worker ended")

    run_daemon("transcode", TranscodeSettings.read, work)


if __name__ == "__main__":
    main()
