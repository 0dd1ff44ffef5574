"""How far the processing of a video and of each of its jobs is, and when it will be done.

Pure functions on rows of `jobs`. The `estimate` of a job, in seconds, is what the transcode service
predicts from the speed of its machine; see `transcode_service/estimates.py`.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.forecast import (
    KIND_ORDER,
    OPEN_STATES,
    UNKNOWN_ESTIMATE,
    Forecast,
)
from common.translation import gettext, gettext_noop
from db.models import Job, JobKind, JobState

_NAMES = {
    JobKind.CHECK: gettext_noop("Check"),
    JobKind.THUMBNAILS: gettext_noop("Thumbnails"),
    JobKind.REMUX: gettext_noop("Original quality"),
    JobKind.AUDIO: gettext_noop("Audio"),
}


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
    :ivar is_next: whether it waits and no job of the video before it does.
    :ivar error: why the last attempt failed, for people; it may be tried again by itself.
    :ivar log_tail: the last lines of ffmpeg's log.
    """

    kind: JobKind
    height: int
    state: JobState
    percent: int
    done_at: datetime | None
    is_next: bool
    error: str | None
    log_tail: str | None

    @classmethod
    def of(cls, job: Job, *, eta: datetime | None = None, is_next: bool = False) -> "JobProgress":
        """Return what people see of a row."""
        is_done = job.state is JobState.DONE
        return cls(
            kind=job.kind,
            height=job.height,
            state=job.state,
            percent=100 if is_done else min(99, int(job.progress * 100)),
            done_at=job.finished_at if is_done else eta,
            is_next=is_next,
            error=gettext(job.error) if job.error else None,
            log_tail=job.log_tail,
        )

    @property
    def label(self) -> str:
        """Name the job and its state: `720p: now, 42 %`."""
        kind = _NAMES.get(self.kind)
        name = gettext(kind) if kind else f"{self.height}p"
        if self.state is JobState.RUNNING:
            return gettext("%(name)s: now, %(percent)s %%", name=name, percent=self.percent)
        if self.state is JobState.DONE:
            return gettext("%(name)s: done", name=name)
        if self.state is JobState.FAILED:
            return gettext("%(name)s: failed", name=name)
        if self.error is not None:
            return gettext("%(name)s: did not work, will be tried again", name=name)
        if self.is_next:
            return gettext("%(name)s: next", name=name)
        return gettext("%(name)s: later", name=name)

    def as_json(self, *, with_errors: bool) -> dict[str, Any]:
        """Return it for scripts.

        :param with_errors: also why it failed, which is for the owner.
        """
        fields = {
            "kind": self.kind.value,
            "height": self.height or None,
            "state": self.state.value,
            "percent": self.percent,
            "done_at": iso(self.done_at),
            "words": self.label,
        }
        return fields | ({"error": self.error, "detail": self.log_tail} if with_errors else {})


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
    ordered = sorted(jobs, key=lambda job: (KIND_ORDER[job.kind], job.height))
    unfinished = [job for job in ordered if job.state in OPEN_STATES]
    waiting = [job for job in ordered if job.state is JobState.WAITING]
    # Only the check knows which jobs there will be.
    is_planned = all(job.kind is not JobKind.CHECK for job in unfinished)
    etas = [forecast.etas[job.id] for job in unfinished if job.id in forecast.etas]
    is_waiting = state is ProcessingState.WAITING
    return Processing(
        state=state,
        percent=_percent(jobs),
        eta=max(etas) if etas and is_planned and not rejected else None,
        queue_position=forecast.positions.get(jobs[0].video_id) if is_waiting else None,
        jobs=tuple(
            JobProgress.of(job, eta=forecast.etas.get(job.id), is_next=job in waiting[:1])
            for job in ordered
        ),
    )


def _state(jobs: Sequence[Job]) -> ProcessingState:
    states = {job.state for job in jobs}
    if JobState.RUNNING in states:
        return ProcessingState.PROCESSING
    if JobState.WAITING in states:
        begun = JobState.DONE in states
        return ProcessingState.PROCESSING if begun else ProcessingState.WAITING
    return ProcessingState.FAILED if JobState.FAILED in states else ProcessingState.DONE


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


def iso(moment: datetime | None) -> str | None:
    """Write a time for scripts: ISO 8601, in whole seconds."""
    return moment.isoformat(timespec="seconds") if moment else None
