"""The reconciler: repairs rows and files after something was lost.

Any number may run, also beside workers: each rule checks again inside the transaction that acts.
Each looks after the folders of attempts that it can see, which may be its machine's own. One of all
restores master playlists: see `common/duty.py`. Workers look at the database by themselves, so the
reconciler need not wake them.
"""

import time
from dataclasses import dataclass, field

import structlog
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from common.duty import Duty
from common.job_queue import wake_workers
from common.storage.errors import StoreRefused, StoreUnavailable
from db.engine import DatabaseUnavailable, transaction
from db.models import Job, JobState
from transcode_service import jobs, publishing
from transcode_service.finish_attempt import restore_master
from transcode_service.published import FileElsewhere
from transcode_service.worker_context import WorkerContext

_GRACE = 10.0  # seconds after the database was unavailable; a renewal is due every five
_SCRATCH_KEPT = 3600.0  # seconds after the last step that read a copy in scratch space
_SWEEP = 60.0  # seconds between two looks at the whole volume

log = structlog.get_logger()


@dataclass
class Reconciler:
    """Reconciles one set of stores. The context's name is the process's."""

    context: WorkerContext
    sweep_every: float = _SWEEP
    _expire_after: float = field(default=0.0, init=False)
    _next_sweep: float = field(default=0.0, init=False)
    _restoring: Duty = field(init=False)

    def __post_init__(self) -> None:
        self._restoring = Duty(self.context.database, "restore masters", self.context.name)

    def reconcile(self) -> None:
        """Apply every rule once.

        :raises DatabaseUnavailable: everything must wait.
        :raises StorageError: the volume is not there; what does not need it has been done.
        """
        try:
            if time.monotonic() >= self._expire_after:
                self.expire()
            self.context.check_storage()  # first: who has no volume leaves it to others
            restores = self._restoring.hold()  # each time, to keep it
            if time.monotonic() >= self._next_sweep:
                self._remove_stray_attempts()
                self.context.scratch.drop_unused(seconds=_SCRATCH_KEPT)
                if restores:
                    self._restore_masters()
                self._next_sweep = time.monotonic() + self.sweep_every
        except DatabaseUnavailable:
            # Leases could not be renewed meanwhile; live workers get time to do so.
            self._expire_after = time.monotonic() + _GRACE
            raise

    def release(self) -> None:
        """Leave the master playlists to another process, as this one ends."""
        self._restoring.release()

    def expire(self, *, worker: str | None = None) -> None:
        """Queue jobs again whose lease has expired, or that a worker held which has ended."""
        if count := jobs.expire(self.context.database, worker=worker):
            log.warning("jobs of lost workers were queued again", count=count, worker=worker)
            wake_workers(self.context.redis, count)

    def _remove_stray_attempts(self) -> None:
        """Remove folders of attempts that no worker works on."""
        storage = self.context.storage
        # Listed first: a folder is made only after its attempt was recorded.
        for video_id, job_id, fence in list(storage.list_attempts()):
            if not _is_held(self.context.database, job_id=job_id, fence=fence):
                storage.drop_attempts(video_id, job_id, below=fence + 1)
                log.info("stray attempt removed", video=video_id, job=job_id, fence=fence)

    def _restore_masters(self) -> None:
        for video_id in publishing.videos_to_look_at(self.context.database):
            if not self._restoring.hold():
                return
            if self.context.storage.has_published(video_id, publishing.MASTER):
                continue
            try:
                if restore_master(self.context, video_id):
                    log.warning("master playlist restored", video=video_id)
            except FileElsewhere:
                continue  # so is the master playlist, then
            except (StoreUnavailable, StoreRefused, RedisError, FileNotFoundError) as error:
                about = {"video": video_id, "detail": str(error)}
                log.warning("a master playlist cannot be restored now", **about)


@transaction(writes=False)
def _is_held(session: Session, *, job_id: int, fence: int) -> bool:
    job = session.get(Job, job_id)
    return job is not None and job.state is JobState.RUNNING and job.fence <= fence
