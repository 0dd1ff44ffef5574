"""Hold a job: a thread renews its lease while the step runs, and notices when it is lost."""

import threading
import time
from collections.abc import Callable
from typing import Self, TypeVar, cast

import structlog

from common.process.store_retry import wait_for_stores
from db.engine import DatabaseUnavailable
from transcode_service.jobs import Claim, is_wanted, renew
from transcode_service.worker_context import WorkerContext

T = TypeVar("T")

_LOOK = 1.0  # seconds between two queries of the row
_RETRY_DELAY = 1.0  # seconds between two tries to reach a store that is unavailable
_RENEW = 5.0  # seconds between two renewals; the lease lasts six times as long

log = structlog.get_logger()


class Cancelled(Exception):
    """The step must end now, and its output is discarded."""


class LeaseLost(Cancelled):
    """Another worker holds the job by now, or its video is no longer live."""


class WorkerStopping(Cancelled):
    """This worker has been told to stop."""


class Lease:
    """Holds one job of a worker while it is used as a context manager.

    While the database is unavailable the step continues. The job is still held afterwards unless
    another worker has claimed it meanwhile.
    """

    def __init__(self, context: WorkerContext, claim: Claim) -> None:
        self.context = context
        self.claim = claim
        self._lost = threading.Event()
        self._ended = threading.Event()
        self._progress = 0.0
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def report(self, share: float) -> None:
        """Record how much of the step is done, 0 to 1.

        :raises Cancelled: the step must end.
        """
        self._progress = share
        if self._lost.is_set():
            raise LeaseLost
        if self.context.stopping.is_set():
            raise WorkerStopping

    def persist(self, work: Callable[[], T]) -> T:
        """Do something idempotent, waiting for the database and Redis.

        :raises Cancelled: the job was lost meanwhile, or this worker was told to stop.
        """

        def pause() -> bool:
            self.context.stopping.wait(_RETRY_DELAY)
            self.report(self._progress)
            return True

        return cast("T", wait_for_stores(work, pause=pause))  # it never gives up

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _keep(self) -> None:
        renewed, stored = time.monotonic(), 0.0
        while not self._ended.wait(_LOOK) and not self._lost.is_set():
            progress = self._progress
            due = progress > stored or time.monotonic() - renewed >= _RENEW
            try:
                if due:
                    held = renew(self.context.database, claim=self.claim, progress=progress)
                    renewed, stored = time.monotonic(), progress
                else:
                    held = is_wanted(self.context.database, claim=self.claim)
                if not held:
                    self._lost.set()
            except Exception as error:
                bug = not isinstance(error, DatabaseUnavailable)
                about = {"job": self.claim.job_id, "detail": str(error)}
                log.warning("a lease could not be renewed", **about, exc_info=bug)
