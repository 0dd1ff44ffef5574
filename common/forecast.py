"""ETAs and queue positions of all open jobs.

The forecast of a long queue takes tens of milliseconds, and every open page needs it each second.
So a process makes it at most once a second.
"""

import heapq
import time as clock
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.live import is_live, is_shown
from db.models import Job, JobKind, JobState, Video, now

KIND_ORDER = {kind: rank for rank, kind in enumerate(JobKind)}
OPEN_STATES = (JobState.RUNNING, JobState.WAITING)
UNKNOWN_ESTIMATE = 2.0  # seconds, for a job without an estimate: the check

_QUEUE_LIMIT = 2000  # jobs
_MAX_AGE = 1.0  # seconds


class OpenJob(NamedTuple):
    """A job that runs or waits: the columns that a forecast needs."""

    id: int
    video_id: str
    kind: JobKind
    height: int
    state: JobState
    progress: float
    estimate: float | None
    started_at: datetime | None
    not_before: datetime | None


@dataclass(frozen=True)
class Forecast:
    """When open jobs will be done, if as many workers go on as work now.

    :ivar etas: by the id of the job.
    :ivar positions: in the queue, from 1, by the id of the video.
    """

    etas: Mapping[int, datetime] = field(default_factory=dict)
    positions: Mapping[str, int] = field(default_factory=dict)


class ForecastCache:
    """Holds the forecast of this process for a second.

    While one request makes a new forecast, others use the last one. Needs no lock.
    """

    def __init__(self) -> None:
        self._forecast: Forecast | None = None
        self._renew_at = 0.0

    def get(self, session: Session) -> Forecast:
        """Return a forecast that is about a second old at most."""
        if self._forecast is None or clock.monotonic() >= self._renew_at:
            self._renew_at = clock.monotonic() + _MAX_AGE
            self._forecast = make_forecast(load_open_jobs(session), time=now())
        return self._forecast


def load_open_jobs(session: Session) -> list[OpenJob]:
    """Return the jobs of all videos that run or wait, in the order in which they are begun."""
    columns = (getattr(Job, name) for name in OpenJob._fields)
    wanted = (
        select(*columns)
        .join(Video, Video.id == Job.video_id)
        .where(
            Job.state.in_(OPEN_STATES),
            is_live(),
            is_shown(),
        )
        .order_by(Job.id)
        .limit(_QUEUE_LIMIT)
    )
    return in_queue_order(OpenJob(*row) for row in session.execute(wanted))


def in_queue_order(jobs: Iterable[OpenJob]) -> list[OpenJob]:
    """Return jobs in the order in which they are begun: running ones, then lowest heights first."""

    def order(job: OpenJob) -> tuple[bool, int, int, int]:
        return (job.state is not JobState.RUNNING, KIND_ORDER[job.kind], job.height, job.id)

    return sorted(jobs, key=order)


def make_forecast(queue: Sequence[OpenJob], *, time: datetime) -> Forecast:
    """Return the forecast of a queue.

    :param queue: in the order of :func:`in_queue_order`.
    :param time: now.
    """
    running = [job for job in queue if job.state is JobState.RUNNING]
    free_at = [time + timedelta(seconds=seconds_left(job, time=time)) for job in running]
    etas = {job.id: eta for job, eta in zip(running, free_at, strict=True)}
    workers = free_at or [time]
    heapq.heapify(workers)
    positions: dict[str, int] = {}
    for job in queue:
        positions.setdefault(job.video_id, len(positions) + 1)
        if job.state is JobState.RUNNING:
            continue
        begins_at = max(workers[0], job.not_before or time)
        etas[job.id] = begins_at + timedelta(seconds=job.estimate or UNKNOWN_ESTIMATE)
        heapq.heapreplace(workers, etas[job.id])
    return Forecast(etas, positions)


def seconds_left(job: OpenJob, *, time: datetime) -> float:
    """Return how long a running job will still take.

    The further it is, the more its own speed counts, and the less its estimate.
    """
    estimate = job.estimate or UNKNOWN_ESTIMATE
    elapsed = max(0.0, (time - (job.started_at or time)).total_seconds())
    if job.progress <= 0:
        return max(estimate - elapsed, estimate * 0.05)
    at_this_speed = elapsed / job.progress
    total = job.progress * at_this_speed + (1 - job.progress) * max(estimate, elapsed)
    return max(0.0, total * (1 - job.progress))
