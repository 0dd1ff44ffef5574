"""Holding a job: a thread renews its lease while the step runs, and notices when it must end."""

import threading
import time
from functools import partial
from types import TracebackType
from typing import Self

import structlog

from db.engine import Database, DatabaseUnavailable
from transcode_service.jobs import Claim, is_wanted, renew

_LOOK = 1.0  # seconds between two looks at the row
_RENEW = 5.0  # seconds between two renewals; the lease lasts six times as long

log = structlog.get_logger()


class Cancelled(Exception):
    """The step is to end now, and what it has made is not wanted."""


class Lost(Cancelled):
    """The job is somebody else's by now, or its video is to be removed."""


class Stopping(Cancelled):
    """This worker is to end."""


class Lease:
    """Holds one job while it is used as a context.

    With the database away the step goes on: if nobody was given the job meanwhile, it is still
    held when the database is back.

    :param stopping: set when this worker is to end.
    """

    def __init__(self, database: Database, claim: Claim, stopping: threading.Event) -> None:
        self._database = database
        self._claim = claim
        self._stopping = stopping
        self._lost = threading.Event()
        self._ended = threading.Event()
        self._progress = 0.0
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def report(self, share: float) -> None:
        """Take how much of the step is done, 0 to 1.

        :raises Cancelled: the step is to end.
        """
        self._progress = share
        if self._lost.is_set():
            raise Lost
        if self._stopping.is_set():
            raise Stopping

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _keep(self) -> None:
        renewed, told = time.monotonic(), 0.0
        while not self._ended.wait(_LOOK) and not self._lost.is_set():
            progress = self._progress
            due = progress > told or time.monotonic() - renewed >= _RENEW
            look = partial(renew, progress=progress) if due else is_wanted
            try:
                if due:
                    held = self._database.write(partial(look, claim=self._claim))
                    renewed, told = time.monotonic(), progress
                else:
                    held = self._database.read(partial(look, claim=self._claim))
            except DatabaseUnavailable as error:
                log.warning(
                    "a lease could not be renewed", job=self._claim.job_id, detail=str(error)
                )
                continue
            except Exception:
                log.exception("a lease could not be renewed", job=self._claim.job_id)
                continue
            if not held:
                self._lost.set()
