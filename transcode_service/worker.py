"""A worker: a process that RQ wakes, and that works on one job at a time.

    python -m transcode_service.worker NAME PARENT

It is started by `python -m transcode_service`, and ends with it. RQ's own child for each job is
done without: what reads hostile files is a confined child anyway, and a lost worker is the row's
business. SIGTERM hands the job back at once. Without Redis it looks at the database by itself.
"""

import ctypes
import logging
import os
import secrets
import signal
import sys
from types import FrameType
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq.exceptions import StopRequested
from rq.worker import SimpleWorker, WorkerStatus

from common.job_queue import queue
from common.logging_setup import configure_logging
from common.settings import Environment, SettingsError
from common.storage import StorageError
from db.engine import DatabaseUnavailable
from transcode_service.settings import TranscodeSettings
from transcode_service.shop import Workshop
from transcode_service.tasks import employ
from transcode_service.work import drain

# Seconds. RQ's own defaults leave the message of a killed worker lying for seven minutes.
_WORKER_TTL = 30
_MAINTENANCE = 10
_ALONE = 2.0  # between two looks at the database while Redis is away

_PR_SET_PDEATHSIG = 1

log = structlog.get_logger()


class WokenWorker(SimpleWorker):
    """RQ's worker, which hands its job back when it is told to end, and takes no other orders."""

    shop: Workshop

    def subscribe(self) -> None:
        """Listen to nobody: whoever can write to Redis must not be able to command workers."""

    def check_for_suspension(self, burst: bool) -> None:
        """Begin nothing after the signal, which may have come before RQ's handler was there."""
        if self.shop.stopping.is_set():
            raise StopRequested

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """End after the job has been handed back, or at once if there is none."""
        self._stop_requested = True
        self.shop.stopping.set()
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Tell Redis that this worker lives; with Redis away nobody needs to know."""
        try:
            super().heartbeat(timeout, pipeline)
        except RedisError:
            if pipeline is not None:
                raise


def run(shop: Workshop, redis_url: str) -> None:
    """Work until told to stop: when woken, and while Redis is away by looking."""
    employ(shop)
    waiting = False
    while not shop.stopping.is_set():
        try:
            drain(shop)
            if waiting:
                log.info("stores are back")
            waiting = False
            _listen(shop, redis_url)
        except (DatabaseUnavailable, StorageError) as error:
            if not waiting:
                log.warning("waiting for a store", store=type(error).__name__, detail=str(error))
            waiting = True
        except StopRequested:
            continue  # told to end between two things
        except RedisError as error:
            log.warning("working without Redis", detail=str(error))
        shop.stopping.wait(_ALONE)


def _listen(shop: Workshop, redis_url: str) -> None:
    """Be woken by messages until Redis is gone or this worker is to end."""
    connection = Redis.from_url(redis_url, socket_connect_timeout=1)
    try:
        worker = WokenWorker(
            [queue(connection)],
            connection=connection,
            name=f"{shop.name}-{secrets.token_hex(4)}",
            worker_ttl=_WORKER_TTL,
            maintenance_interval=_MAINTENANCE,
            log_job_description=False,
            serializer=queue(connection).serializer,
        )
        worker.shop = shop
        worker.work(logging_level="ERROR")
    finally:
        _end_when_told(shop)
        connection.close()


def _end_when_told(shop: Workshop) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: shop.stopping.set())


def _end_with(parent: int) -> None:
    """Be told to end when the parent dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the parent of this worker has ended")


def main() -> None:
    """Read the settings, and work until a signal."""
    name, parent = sys.argv[1:]
    try:
        settings = TranscodeSettings.read(Environment(os.environ))
    except SettingsError as error:
        sys.exit(str(error))
    configure_logging(settings.common.log_level)
    structlog.contextvars.bind_contextvars(service="transcode", worker=name)
    # RQ writes lines of its own; those of a connection that fails are told by us.
    logging.getLogger("rq").addHandler(logging.NullHandler())
    shop = Workshop.of(settings, name=name)
    _end_when_told(shop)
    _end_with(int(parent))
    log.info("worker started", pid=os.getpid())
    run(shop, settings.common.redis_url)
    log.info("worker ended")


if __name__ == "__main__":
    main()
