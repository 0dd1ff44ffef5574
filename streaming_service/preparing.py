"""How far videos are prepared, as pages and scripts are told.

What is published is told from the rows of what was published, and the numbers from
`common.processing`. The words are made here, once, so that pages and their scripts say the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.processing import Processing, ProcessingState, Step, describe, open_jobs
from common.web.urls import watch_url
from db.models import Job, JobKind, JobState, Rendition, RenditionKind, Video, now
from streaming_service.wording import until

_OVER = (ProcessingState.DONE, ProcessingState.FAILED, ProcessingState.REFUSED)
_NAMES = {
    JobKind.CHECK: "Check",
    JobKind.THUMBNAILS: "Poster and previews",
    JobKind.REMUX: "Original quality",
    JobKind.AUDIO: "Sound",
}


@dataclass(frozen=True)
class PreparedStep:
    """A step, and what went wrong with it, if anything did.

    :param is_next: whether it waits and no step before it does.
    :param error: why the last attempt failed, for people; it may be tried again by itself.
    :param detail: ffmpeg's last lines.
    """

    step: Step
    is_next: bool
    error: str | None
    detail: str | None

    @property
    def look(self) -> str:
        """How the page shows it: `done`, `running`, `waiting` or `failed`."""
        return self.step.state.value

    @property
    def words(self) -> str:
        """Name it, and say where it stands: `720p: now, 42 %`."""
        name = _NAMES.get(self.step.kind, f"{self.step.height}p")
        if self.step.state is JobState.RUNNING:
            return f"{name}: now, {self.step.percent} %"
        if self.step.state is JobState.WAITING:
            if self.error is not None:
                return f"{name}: did not work, will be tried again"
            return f"{name}: {'next' if self.is_next else 'later'}"
        return f"{name}: {'done' if self.step.state is JobState.DONE else 'failed'}"


@dataclass(frozen=True)
class Prepared:
    """What a video has, and what it still gets."""

    video_id: str
    processing: Processing
    steps: tuple[PreparedStep, ...]
    heights: tuple[int, ...]
    has_master: bool
    has_pictures: bool
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
        return self.processing.state in _OVER

    @property
    def master(self) -> str | None:
        """The address of the HLS master playlist, if a rendition is published."""
        return f"{watch_url(self.video_id)}/master.m3u8" if self.has_master else None

    @property
    def poster(self) -> str | None:
        """The address of the poster, if it is drawn."""
        return f"{watch_url(self.video_id)}/poster.jpg" if self.has_pictures else None

    @property
    def storyboard(self) -> str | None:
        """The address of the storyboard's index, if it is drawn."""
        return f"{watch_url(self.video_id)}/storyboard.vtt" if self.has_pictures else None

    @property
    def words(self) -> str:
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
        end = self.processing.done_at
        left = f", {until(end)} left" if end is not None else ""
        if self.processing.state is ProcessingState.WAITING:
            before = (self.processing.place or 1) - 1
            others = f" after {before} other video{'s' if before > 1 else ''}" if before else ""
            return f"Will be prepared{others}{left}."
        return f"Being prepared: {self.percent} %{left}."

    def as_json(self, *, in_full: bool = False) -> dict[str, Any]:
        """Return it for scripts.

        :param in_full: also why a step failed, which is for the owner.
        """
        return {
            "state": self.state,
            "watchable": self.is_watchable,
            "percent": self.percent,
            "done_at": _iso(self.processing.done_at),
            "place": self.processing.place,
            "steps": [_json_of(step, in_full=in_full) for step in self.steps],
            "heights": list(self.heights),
            "master": self.master,
            "poster": self.poster,
            "storyboard": self.storyboard,
            "words": self.words,
        }


def prepared(session: Session, videos: Sequence[Video]) -> Mapping[str, Prepared]:
    """Return how far each of these videos is, by id."""
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
    unfinished = (JobState.WAITING, JobState.RUNNING)
    # Only what is unfinished has a time of completion, which takes a look at all that wait.
    is_open = any(job.state in unfinished for rows in jobs.values() for job in rows)
    queue = open_jobs(session) if is_open else []
    return {v.id: _prepared(v, jobs[v.id], heights[v.id], queue) for v in videos}


def _prepared(
    video: Video, jobs: Sequence[Job], heights: Sequence[int], queue: Sequence[Job]
) -> Prepared:
    is_refused = video.rejection_reason is not None
    processing = describe(jobs, queue=queue, time=now(), refused=is_refused)
    rows = {(job.kind, job.height): job for job in jobs}
    waiting = [step for step in processing.steps if step.state is JobState.WAITING]
    steps = (
        PreparedStep(
            step=step,
            is_next=step in waiting[:1],
            error=rows[step.kind, step.height].error,
            detail=rows[step.kind, step.height].log_tail,
        )
        for step in processing.steps
    )
    drawn = rows.get((JobKind.THUMBNAILS, 0))
    # There is no master playlist while the sound is being made: pictures would play without it.
    sound = rows.get((JobKind.AUDIO, 0))
    is_heard = sound is None or sound.state is JobState.DONE
    return Prepared(
        video_id=video.id,
        processing=processing,
        steps=tuple(steps),
        heights=tuple(sorted({height for height in heights if height})),
        has_master=bool(heights) and is_heard and not is_refused,
        has_pictures=drawn is not None and drawn.state is JobState.DONE and not is_refused,
        rejection_reason=video.rejection_reason,
        playable=video.playable,
    )


def _json_of(prepared_step: PreparedStep, *, in_full: bool) -> dict[str, Any]:
    step = prepared_step.step
    found = {
        "kind": step.kind.value,
        "height": step.height or None,
        "state": step.state.value,
        "percent": step.percent,
        "done_at": _iso(step.done_at),
        "words": prepared_step.words,
    }
    if in_full:
        found |= {"error": prepared_step.error, "detail": prepared_step.detail}
    return found


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
