"""How far the processing of a video is, and when it will be done.

Pure functions on rows of `jobs`. The `estimate` of a job, in seconds, is what the transcode service
predicts from the speed of its machine; see `transcode_service/estimates.py`.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db.models import Job, JobKind, JobState
from streaming_service.processing.forecast import KIND_ORDER, UNKNOWN_ESTIMATE, Forecast


class ProcessingState(enum.StrEnum):
    """The state of a video's processing as a whole."""

    WAITING = "waiting"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"
    REJECTED = "refused"  # the word of the API


@dataclass(frozen=True)
class JobProgress:
    """One job as people see it.

    :ivar percent: 0 to 100.
    :ivar done_at: when it was done, or its ETA.
    """

    kind: JobKind
    height: int
    state: JobState
    percent: int
    done_at: datetime | None


@dataclass(frozen=True)
class Processing:
    """The processing of one video.

    :ivar eta: when the last job will be done; None before the check, and when nothing is left.
    :ivar queue_position: from 1; None once a job of the video has begun.
    """

    state: ProcessingState
    percent: int
    eta: datetime | None
    queue_position: int | None
    jobs: tuple[JobProgress, ...]


def describe(jobs: Sequence[Job], forecast: Forecast, *, rejected: bool = False) -> Processing:
    """Tell how far a video is.

    :param jobs: all jobs of the video.
    :param forecast: of all open jobs.
    :param rejected: whether the check found that the video cannot be played.
    """
    state = ProcessingState.REJECTED if rejected else _state(jobs)
    unfinished = [job for job in jobs if job.state in (JobState.RUNNING, JobState.WAITING)]
    # Only the check knows which jobs there will be.
    is_planned = all(job.kind is not JobKind.CHECK for job in unfinished)
    etas = [forecast.etas[job.id] for job in unfinished if job.id in forecast.etas]
    is_waiting = state is ProcessingState.WAITING
    return Processing(
        state=state,
        percent=_percent(jobs),
        eta=max(etas) if etas and is_planned and not rejected else None,
        queue_position=forecast.positions.get(jobs[0].video_id) if is_waiting else None,
        jobs=tuple(_progress(job, forecast) for job in sorted(jobs, key=_display_order)),
    )


def _state(jobs: Sequence[Job]) -> ProcessingState:
    states = {job.state for job in jobs}
    if JobState.RUNNING in states:
        return ProcessingState.PROCESSING
    if JobState.WAITING in states:
        begun = JobState.DONE in states
        return ProcessingState.PROCESSING if begun else ProcessingState.WAITING
    return ProcessingState.FAILED if JobState.FAILED in states else ProcessingState.DONE


def _display_order(job: Job) -> tuple[int, int]:
    return (KIND_ORDER[job.kind], job.height)


def _progress(job: Job, forecast: Forecast) -> JobProgress:
    if job.state is JobState.DONE:
        return JobProgress(job.kind, job.height, job.state, 100, job.finished_at)
    percent = min(99, int(job.progress * 100))
    return JobProgress(job.kind, job.height, job.state, percent, forecast.etas.get(job.id))


def _percent(jobs: Sequence[Job]) -> int:
    """Weigh jobs by their estimates; 100 only when all are done."""
    if not jobs or all(job.state is JobState.DONE for job in jobs):
        return 100
    total = sum(job.estimate or UNKNOWN_ESTIMATE for job in jobs)
    done = sum(
        (job.estimate or UNKNOWN_ESTIMATE) * (1 if job.state is JobState.DONE else job.progress)
        for job in jobs
    )
    return min(99, int(100 * done / total))
