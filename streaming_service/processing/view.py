"""The processing of videos as pages and scripts show it.

Texts are made here alone, so that pages and their scripts say the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.web.urls import watch_url
from db.models import Job, JobKind, JobState, Rendition, RenditionKind, Video
from streaming_service.processing.forecast import Forecast, ForecastCache
from streaming_service.processing.status import (
    JobProgress,
    Processing,
    ProcessingState,
    describe,
)
from streaming_service.videos.text import time_left

_FINAL = (ProcessingState.DONE, ProcessingState.FAILED, ProcessingState.REJECTED)
_OPEN = (JobState.WAITING, JobState.RUNNING)
_NAMES = {
    JobKind.CHECK: "Check",
    JobKind.THUMBNAILS: "Thumbnails",
    JobKind.REMUX: "Original quality",
    JobKind.AUDIO: "Audio",
}


@dataclass(frozen=True)
class JobView:
    """A job, and why it failed, if it did.

    :ivar is_next: whether it waits and no job of the video before it does.
    :ivar error: why the last attempt failed, for people; it may be tried again by itself.
    :ivar log_tail: the last lines of ffmpeg's log.
    """

    progress: JobProgress
    is_next: bool
    error: str | None
    log_tail: str | None

    @property
    def css_class(self) -> str:
        """`done`, `running`, `waiting` or `failed`."""
        return self.progress.state.value

    @property
    def label(self) -> str:
        """Name the job and its state: `720p: now, 42 %`."""
        name = _NAMES.get(self.progress.kind, f"{self.progress.height}p")
        if self.progress.state is JobState.RUNNING:
            return f"{name}: now, {self.progress.percent} %"
        if self.progress.state is JobState.WAITING:
            if self.error is not None:
                return f"{name}: did not work, will be tried again"
            return f"{name}: {'next' if self.is_next else 'later'}"
        return f"{name}: {'done' if self.progress.state is JobState.DONE else 'failed'}"

    def as_json(self, *, with_errors: bool) -> dict[str, Any]:
        """Return it for scripts.

        :param with_errors: also why it failed, which is for the owner.
        """
        fields = {
            "kind": self.progress.kind.value,
            "height": self.progress.height or None,
            "state": self.progress.state.value,
            "percent": self.progress.percent,
            "done_at": _iso(self.progress.done_at),
            "words": self.label,
        }
        if with_errors:
            fields |= {"error": self.error, "detail": self.log_tail}
        return fields


@dataclass(frozen=True)
class ProcessingView:
    """What has been made of a video, and what will be.

    :ivar heights: of the published renditions, in pixels.
    :ivar rejection_reason: why the video cannot be played, for people; None if it can.
    :ivar playable: whether browsers play the original.
    """

    video_id: str
    processing: Processing
    steps: tuple[JobView, ...]
    heights: tuple[int, ...]
    has_master: bool
    has_thumbnails: bool
    rejection_reason: str | None
    playable: bool

    @property
    def is_watchable(self) -> bool:
        """Whether there is something to play: the original, or a rendition."""
        return self.rejection_reason is None and (self.playable or self.has_master)

    @property
    def state(self) -> str:
        """`waiting`, `processing`, `done`, `failed` or `refused`."""
        return self.processing.state.value

    @property
    def percent(self) -> int:
        """How much of it is done, by time."""
        return self.processing.percent

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.processing.state in _FINAL

    @property
    def master(self) -> str | None:
        """The URL of the HLS master playlist, if a rendition is published."""
        return f"{watch_url(self.video_id)}/master.m3u8" if self.has_master else None

    @property
    def poster(self) -> str | None:
        """The URL of the poster, if there is one."""
        return f"{watch_url(self.video_id)}/poster.jpg" if self.has_thumbnails else None

    @property
    def storyboard(self) -> str | None:
        """The URL of the storyboard's index, if there is one."""
        return f"{watch_url(self.video_id)}/storyboard.vtt" if self.has_thumbnails else None

    @property
    def summary(self) -> str:
        """Say in one sentence how far it is."""
        if self.rejection_reason is not None:
            return self.rejection_reason
        if self.processing.state is ProcessingState.FAILED:
            if not self.is_watchable:
                return "It could not be prepared, and browsers do not play the file as it is."
            rest = "The original" if self.playable else "What there is"
            return f"Not everything could be prepared. {rest} can be watched."
        if self.processing.state is ProcessingState.DONE:
            return "Everything is prepared."
        eta = self.processing.eta
        left = f", {time_left(eta)} left" if eta is not None else ""
        if self.processing.state is ProcessingState.WAITING:
            before = (self.processing.queue_position or 1) - 1
            others = f" after {before} other video{'s' if before > 1 else ''}" if before else ""
            return f"Will be prepared{others}{left}."
        return f"Being prepared: {self.percent} %{left}."

    def as_json(self, *, with_errors: bool = False) -> dict[str, Any]:
        """Return it for scripts.

        :param with_errors: also why a step failed, which is for the owner.
        """
        return {
            "state": self.state,
            "watchable": self.is_watchable,
            "percent": self.percent,
            "done_at": _iso(self.processing.eta),
            "place": self.processing.queue_position,
            "steps": [step.as_json(with_errors=with_errors) for step in self.steps],
            "heights": list(self.heights),
            "master": self.master,
            "poster": self.poster,
            "storyboard": self.storyboard,
            "words": self.summary,
        }


def load_processing(
    session: Session, videos: Sequence[Video], forecasts: ForecastCache
) -> Mapping[str, ProcessingView]:
    """Return the processing of each of these videos, by id."""
    ids = [video.id for video in videos]
    jobs: dict[str, list[Job]] = {video_id: [] for video_id in ids}
    for job in session.scalars(select(Job).where(Job.video_id.in_(ids))):
        jobs[job.video_id].append(job)
    published = select(Rendition.video_id, Rendition.height).where(
        Rendition.video_id.in_(ids), Rendition.kind == RenditionKind.VIDEO
    )
    heights: dict[str, list[int]] = {video_id: [] for video_id in ids}
    for row in session.execute(published):
        heights[row.video_id].append(row.height or 0)
    # Only open jobs have an ETA.
    is_open = any(job.state in _OPEN for rows in jobs.values() for job in rows)
    forecast = forecasts.get(session) if is_open else Forecast()
    return {v.id: _view(v, jobs[v.id], heights[v.id], forecast) for v in videos}


def _view(
    video: Video, jobs: Sequence[Job], heights: Sequence[int], forecast: Forecast
) -> ProcessingView:
    is_rejected = video.rejection_reason is not None
    processing = describe(jobs, forecast, rejected=is_rejected)
    thumbnails = _find(jobs, JobKind.THUMBNAILS)
    # The master playlist is published after the audio: before, renditions would play without it.
    audio = _find(jobs, JobKind.AUDIO)
    audio_ready = audio is None or audio.state is JobState.DONE
    return ProcessingView(
        video_id=video.id,
        processing=processing,
        steps=_steps(processing, jobs),
        heights=tuple(sorted({height for height in heights if height})),
        has_master=bool(heights) and audio_ready and not is_rejected,
        has_thumbnails=(
            thumbnails is not None and thumbnails.state is JobState.DONE and not is_rejected
        ),
        rejection_reason=video.rejection_reason,
        playable=video.playable,
    )


def _steps(processing: Processing, jobs: Sequence[Job]) -> tuple[JobView, ...]:
    rows = {(job.kind, job.height): job for job in jobs}
    waiting = [step for step in processing.jobs if step.state is JobState.WAITING]
    return tuple(
        JobView(
            progress=step,
            is_next=step in waiting[:1],
            error=rows[step.kind, step.height].error,
            log_tail=rows[step.kind, step.height].log_tail,
        )
        for step in processing.jobs
    )


def _find(jobs: Sequence[Job], kind: JobKind) -> Job | None:
    return next((job for job in jobs if job.kind is kind), None)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
