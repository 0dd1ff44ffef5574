"""What people are told about the processing of a video: how far it is, and when it will be done.

Pure functions on rows of `jobs`. Their `estimate` is what the transcode service predicts from the
speed of its machine; see `transcode_service/estimates.py`.
"""

import enum
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Job, JobKind, JobState, Video

_RANKS = {kind: rank for rank, kind in enumerate(JobKind)}
_FIRST_GUESS = 2.0  # seconds for a step of which nothing has been predicted yet: the check
_QUEUE_LIMIT = 2000  # jobs that are looked at to tell the time


class ProcessingState(enum.StrEnum):
    """Where a video stands as a whole."""

    WAITING = "waiting"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Step:
    """One step as people see it. `percent` is 0 to 100; `done_at` is a guess, or when it was."""

    kind: JobKind
    height: int
    state: JobState
    percent: int
    done_at: datetime | None


@dataclass(frozen=True)
class Processing:
    """The processing of one video.

    :ivar done_at: when the last step will be done; None while that cannot be told, and afterwards.
    :ivar place: how many videos come before this one, and one more; None once it has been begun.
    """

    state: ProcessingState
    percent: int
    done_at: datetime | None
    place: int | None
    steps: tuple[Step, ...]


def open_jobs(session: Session) -> list[Job]:
    """Return the jobs of all videos that run or wait, in the order in which they are begun."""
    wanted = (
        select(Job)
        .join(Video, Video.id == Job.video_id)
        .where(
            Job.state.in_((JobState.RUNNING, JobState.WAITING)),
            Video.deleted_at.is_(None),
            Video.owner_id.is_not(None),
            Video.rejection_reason.is_(None),
        )
        .order_by(Job.id)
        .limit(_QUEUE_LIMIT)
    )
    return in_order(session.scalars(wanted))


def in_order(jobs: Iterable[Job]) -> list[Job]:
    """Return jobs in the order in which they are begun: running ones, then lowest rungs first."""

    def place(job: Job) -> tuple[bool, int, int, int]:
        return (job.state is not JobState.RUNNING, _RANKS[job.kind], job.height, job.id)

    return sorted(jobs, key=place)


def describe(
    jobs: Sequence[Job], *, queue: Sequence[Job], time: datetime, refused: bool = False
) -> Processing:
    """Tell how far a video is.

    :param jobs: all of the video's.
    :param queue: those of every video that are not done, from :func:`open_jobs`.
    :param refused: whether the video cannot be played at all.
    """
    ends = forecast(queue, time=time)
    steps = tuple(_step(job, ends.get(job.id)) for job in sorted(jobs, key=_shown))
    state = ProcessingState.REFUSED if refused else _state(jobs)
    unfinished = [job for job in jobs if job.state in (JobState.RUNNING, JobState.WAITING)]
    # Before the check nobody knows what there will be to do.
    planned = all(job.kind is not JobKind.CHECK for job in unfinished)
    known = [ends[job.id] for job in unfinished if job.id in ends]
    return Processing(
        state=state,
        percent=_percent(jobs),
        done_at=max(known) if known and planned and not refused else None,
        place=_place(unfinished, queue) if state is ProcessingState.WAITING else None,
        steps=steps,
    )


def forecast(queue: Sequence[Job], *, time: datetime) -> dict[int, datetime]:
    """Return when each job will be done, by its id, if as many workers go on as work now."""
    running = [job for job in queue if job.state is JobState.RUNNING]
    free_at = [time + timedelta(seconds=remaining(job, time=time)) for job in running]
    ends = {job.id: end for job, end in zip(running, free_at, strict=True)}
    workers = free_at or [time]
    heapq.heapify(workers)
    for job in queue:
        if job.state is JobState.RUNNING:
            continue
        begins = max(workers[0], job.not_before or time)
        ends[job.id] = begins + timedelta(seconds=job.estimate or _FIRST_GUESS)
        heapq.heapreplace(workers, ends[job.id])
    return ends


def remaining(job: Job, *, time: datetime) -> float:
    """Return the seconds that a running job will take on: what was predicted, and more and more
    what its progress shows.
    """
    estimate = job.estimate or _FIRST_GUESS
    elapsed = max(0.0, (time - (job.started_at or time)).total_seconds())
    if job.progress <= 0:
        return max(estimate - elapsed, estimate * 0.05)
    shown = elapsed / job.progress
    total = job.progress * shown + (1 - job.progress) * max(estimate, elapsed)
    return max(0.0, total * (1 - job.progress))


def _state(jobs: Sequence[Job]) -> ProcessingState:
    states = {job.state for job in jobs}
    if JobState.RUNNING in states:
        return ProcessingState.PROCESSING
    if JobState.WAITING in states:
        begun = JobState.DONE in states
        return ProcessingState.PROCESSING if begun else ProcessingState.WAITING
    return ProcessingState.FAILED if JobState.FAILED in states else ProcessingState.DONE


def _shown(job: Job) -> tuple[int, int]:
    return (_RANKS[job.kind], job.height)


def _step(job: Job, end: datetime | None) -> Step:
    if job.state is JobState.DONE:
        return Step(job.kind, job.height, job.state, 100, job.finished_at)
    percent = min(99, int(job.progress * 100))
    return Step(job.kind, job.height, job.state, percent, end)


def _percent(jobs: Sequence[Job]) -> int:
    """Weigh steps by how long they take; 100 only when all are done."""
    if not jobs or all(job.state is JobState.DONE for job in jobs):
        return 100
    whole = sum(job.estimate or _FIRST_GUESS for job in jobs)
    done = sum(
        (job.estimate or _FIRST_GUESS) * (1 if job.state is JobState.DONE else job.progress)
        for job in jobs
    )
    return min(99, int(100 * done / whole))


def _place(unfinished: Sequence[Job], queue: Sequence[Job]) -> int | None:
    mine = {job.id for job in unfinished}
    before: set[str] = set()
    for job in queue:
        if job.id in mine:
            return len(before) + 1
        before.add(job.video_id)
    return None
