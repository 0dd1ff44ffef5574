"""The reconciler: brings rows, queue and disk together again after anything was lost.

Any number may run, and beside workers: each rule looks again inside the transaction that acts.
"""

import time
from dataclasses import dataclass, field
from functools import partial

import structlog
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from common.job_queue import queue, wake_workers
from db.engine import DatabaseUnavailable
from db.models import Job, JobState, Rendition, RenditionKind, Video
from transcode_service import jobs, publishing
from transcode_service.shop import Workshop

_GRACE = 10.0  # seconds after the database was away; a renewal is due every five
_SWEEP = 60.0  # seconds between two looks at the whole volume

log = structlog.get_logger()


@dataclass
class Reconciler:
    """Reconciles one set of stores.

    :ivar sweep_every: seconds between two looks at the whole volume.
    """

    shop: Workshop
    sweep_every: float = _SWEEP
    _patient_until: float = field(default=0.0, init=False)
    _next_sweep: float = field(default=0.0, init=False)

    def reconcile(self) -> None:
        """Apply every rule once.

        :raises DatabaseUnavailable: everything must wait.
        :raises StorageError: the volume is not there; what needs none has been done.
        """
        try:
            if time.monotonic() >= self._patient_until:
                self._expire()
            self._wake()
            if time.monotonic() >= self._next_sweep:
                self.shop.storage.check(writable=True)
                self._sweep()
                self._restore_masters()
                self._next_sweep = time.monotonic() + self.sweep_every
        except DatabaseUnavailable:
            # Its leases could not be renewed meanwhile; those who live get time to do so.
            self._patient_until = time.monotonic() + _GRACE
            raise

    def release(self, worker: str) -> None:
        """Bring back the job of a worker that is known to have ended."""
        if self.shop.database.write(partial(jobs.expire, worker=worker)):
            log.warning("a worker ended in the middle of a step", worker=worker)
            self._wake()

    def _expire(self) -> None:
        if count := self.shop.database.write(jobs.expire):
            log.warning("steps that nobody worked on any more were brought back", count=count)

    def _wake(self) -> None:
        """Send messages if there is something to do and none are under way.

        That rebuilds the queue when Redis was emptied, and begins what was put off.
        """
        count = self.shop.database.read(jobs.count_claimable)
        try:
            if count and queue(self.shop.redis).count == 0:
                wake_workers(self.shop.redis, count)
        except RedisError as error:
            log.debug("workers could not be woken", detail=str(error))

    def _sweep(self) -> None:
        """Remove folders of attempts that nobody works on."""
        # Listed first: a folder is made only after its attempt was noted.
        for video_id, job_id, fence in list(self.shop.storage.list_attempts()):
            held = partial(_is_held, job_id=job_id, fence=fence)
            if not self.shop.database.read(held):
                self.shop.storage.drop_attempts(video_id, job_id, below=fence + 1)
                log.info("stray attempt removed", video=video_id, job=job_id, fence=fence)

    def _restore_masters(self) -> None:
        for video_id in self.shop.database.read(_with_renditions):
            if self.shop.storage.has_published(video_id, publishing.MASTER):
                continue
            restore = partial(
                publishing.restore_master, storage=self.shop.storage, video_id=video_id
            )
            if self.shop.database.write(restore):
                log.warning("master playlist restored", video=video_id)


def _is_held(session: Session, *, job_id: int, fence: int) -> bool:
    job = session.get(Job, job_id)
    return job is not None and job.state is JobState.RUNNING and job.fence <= fence


def _with_renditions(session: Session) -> list[str]:
    wanted = (
        select(Rendition.video_id)
        .join(Video, Video.id == Rendition.video_id)
        .where(
            Rendition.kind == RenditionKind.VIDEO,
            Video.deleted_at.is_(None),
            Video.owner_id.is_not(None),
        )
        .distinct()
    )
    return list(session.scalars(wanted))
