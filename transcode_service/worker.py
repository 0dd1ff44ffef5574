"""A worker: a process that works on one job at a time.

    python -m transcode_service.worker PREFIX

`python -m transcode_service` starts it and keeps it running. Its name is the prefix and its process
id. A message in Redis wakes it; without Redis it polls the database. SIGTERM hands the job back at
once.
"""

import os
import sys
import threading

import structlog

from common.job_queue import wait
from common.process.daemon import repeat_until_stopped, run_daemon
from common.stores.redis_client import connect_redis
from transcode_service.run_job import run_until_empty
from transcode_service.settings import TranscodeSettings
from transcode_service.worker_context import WorkerContext

_WAIT = 1.0  # seconds between two looks at the database, and until an idle worker notices SIGTERM

log = structlog.get_logger()


def run(settings: TranscodeSettings, stopping: threading.Event, _heartbeat: object) -> None:
    """Work until told to stop."""
    name = f"{sys.argv[1]}-{os.getpid()}"
    structlog.contextvars.bind_contextvars(worker=name)
    log.info("worker started", pid=os.getpid())
    context = WorkerContext.of(settings, name=name, stopping=stopping)
    wake_ups = connect_redis(settings.common.redis_url, patience=_WAIT)

    def work() -> None:
        run_until_empty(context)
        if not stopping.is_set():
            wait(wake_ups, seconds=_WAIT)

    repeat_until_stopped(work, stopping, interval=0, heartbeat=None)
    log.info("worker ended")


if __name__ == "__main__":
    run_daemon("transcode", TranscodeSettings.read, run)
