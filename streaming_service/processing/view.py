"""The processing of videos as pages and scripts show it.

Texts are made here alone, so that pages and their scripts say the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.access import Rights
from common.forecast import OPEN_STATES, Forecast, ForecastCache
from common.translation import gettext, ngettext
from common.web.urls import poster_url, watch_url
from db.models import Job, JobKind, JobState, Rendition, RenditionKind, Video
from streaming_service.processing.status import Processing, ProcessingState, describe, iso
from streaming_service.videos.text import time_left

FINAL_STATES = (ProcessingState.DONE, ProcessingState.FAILED, ProcessingState.REJECTED)


@dataclass(frozen=True)
class ProcessingView:
    """What has been made of a video, and what will be.

    :ivar heights: of the published renditions, in pixels.
    :ivar plays_original: whether the viewer may play the original, and browsers can.
    """

    video: Video
    processing: Processing
    heights: tuple[int, ...]
    has_master: bool
    has_thumbnails: bool
    plays_original: bool

    @property
    def is_watchable(self) -> bool:
        """Whether there is something that the viewer can play: the original, or a rendition."""
        return self.video.rejection_reason is None and (self.plays_original or self.has_master)

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.processing.state in FINAL_STATES

    @property
    def has_failed(self) -> bool:
        """Whether something of it could not be made."""
        return self.processing.state is ProcessingState.FAILED

    @property
    def master(self) -> str | None:
        """The URL of the HLS master playlist, if a rendition is published."""
        return f"{watch_url(self.video.id)}/master.m3u8" if self.has_master else None

    @property
    def poster(self) -> str | None:
        """The URL of the poster, if there is one."""
        return poster_url(self.video.id, self.video.poster_version) if self.has_thumbnails else None

    @property
    def storyboard(self) -> str | None:
        """The URL of the storyboard's index, if there is one."""
        return f"{watch_url(self.video.id)}/storyboard.vtt" if self.has_thumbnails else None

    @property
    def summary(self) -> str:
        """Say in one sentence how far it is."""
        if self.video.rejection_reason is not None:
            return gettext(self.video.rejection_reason)
        if self.processing.state is ProcessingState.FAILED:
            return self._failure
        if self.processing.state is ProcessingState.DONE:
            return gettext("Everything is prepared.")
        eta = self.processing.eta
        if self.processing.state is ProcessingState.WAITING:
            return _waiting((self.processing.queue_position or 1) - 1, eta)
        percent = self.processing.percent
        if eta is None:
            return gettext("Being prepared: %(percent)s %%.", percent=percent)
        return gettext(
            "Being prepared: %(percent)s %%, %(time)s left.", percent=percent, time=time_left(eta)
        )

    @property
    def _failure(self) -> str:
        if self.is_watchable and self.plays_original:
            return gettext("Not everything could be prepared. The original can be watched.")
        if self.is_watchable:
            return gettext("Not everything could be prepared. What there is can be watched.")
        if self.video.playable:  # and not for this viewer
            return gettext("It could not be prepared.")
        return gettext("It could not be prepared, and browsers do not play the file as it is.")

    def as_json(self, *, with_errors: bool = False) -> dict[str, Any]:
        """Return it for scripts.

        :param with_errors: also why a step failed, which is for the owner.
        """
        return {
            "state": self.processing.state.value,
            "watchable": self.is_watchable,
            "percent": self.processing.percent,
            "done_at": iso(self.processing.eta),
            "place": self.processing.queue_position,
            "steps": [step.as_json(with_errors=with_errors) for step in self.processing.jobs],
            "heights": list(self.heights),
            "master": self.master,
            "poster": self.poster,
            "storyboard": self.storyboard,
            "words": self.summary,
        }


def _waiting(before: int, eta: datetime | None) -> str:
    """Say when a video will be prepared.

    :param before: other videos that come first.
    """
    if eta is None:
        if not before:
            return gettext("Will be prepared.")
        return ngettext(
            "Will be prepared after %(num)d other video.",
            "Will be prepared after %(num)d other videos.",
            before,
        )
    if not before:
        return gettext("Will be prepared, %(time)s left.", time=time_left(eta))
    return ngettext(
        "Will be prepared after %(num)d other video, %(time)s left.",
        "Will be prepared after %(num)d other videos, %(time)s left.",
        before,
        time=time_left(eta),
    )


@dataclass(frozen=True)
class ProcessingFacts:
    """What the database says of a video's processing, whoever asks.

    :ivar heights: of the published video renditions, in pixels; 0 if one has none.
    :ivar forecast: of the open jobs; empty if this video has none.
    """

    video: Video
    jobs: Sequence[Job]
    heights: Sequence[int]
    forecast: Forecast


def read_facts(
    session: Session, videos: Sequence[Video], forecasts: ForecastCache
) -> Mapping[str, ProcessingFacts]:
    """Read the processing of these videos; by id."""
    ids = [video.id for video in videos]
    jobs: dict[str, list[Job]] = {video_id: [] for video_id in ids}
    for job in session.scalars(
        select(Job).where(Job.video_id.in_(ids), Job.kind != JobKind.POSTER)
    ):
        jobs[job.video_id].append(job)
    published = select(Rendition.video_id, Rendition.height).where(
        Rendition.video_id.in_(ids), Rendition.kind == RenditionKind.VIDEO
    )
    heights: dict[str, list[int]] = {video_id: [] for video_id in ids}
    for row in session.execute(published):
        heights[row.video_id].append(row.height or 0)
    # Only open jobs have an ETA.
    is_open = any(job.state in OPEN_STATES for rows in jobs.values() for job in rows)
    forecast = forecasts.get(session) if is_open else Forecast()
    return {v.id: ProcessingFacts(v, jobs[v.id], heights[v.id], forecast) for v in videos}


def load_processing(
    session: Session,
    videos: Sequence[Video],
    forecasts: ForecastCache,
    rights: Mapping[str, Rights],
) -> Mapping[str, ProcessingView]:
    """Return the processing of each of these videos, by id.

    :param rights: what the viewer may do with each: some may not play the original.
    """
    found = read_facts(session, videos, forecasts)
    return {i: view_of(facts, rights[i]) for i, facts in found.items()}


def view_of(facts: ProcessingFacts, rights: Rights) -> ProcessingView:
    """Return the processing of a video as somebody with these rights is shown it."""
    video, heights = facts.video, facts.heights
    is_rejected = video.rejection_reason is not None
    states = {job.kind: job.state for job in facts.jobs}
    # The master playlist is published after the audio: before, renditions would play without it.
    audio_ready = states.get(JobKind.AUDIO, JobState.DONE) is JobState.DONE
    return ProcessingView(
        video=video,
        processing=describe(facts.jobs, facts.forecast, rejected=is_rejected),
        heights=tuple(sorted({height for height in heights if height})),
        has_master=bool(heights) and audio_ready and not is_rejected,
        has_thumbnails=states.get(JobKind.THUMBNAILS) is JobState.DONE and not is_rejected,
        plays_original=rights.play_original,
    )


def first_playlists(session: Session, video_id: str) -> list[str]:
    """Return the URLs of the playlists that a player on a slow line reads first.

    They are those of the smallest video rendition and of its audio.
    """
    found = session.execute(
        select(Rendition.kind, Rendition.name)
        .where(Rendition.video_id == video_id)
        .order_by(Rendition.bandwidth, Rendition.name)
    ).all()
    first: dict[RenditionKind, str] = {}
    for kind, name in found:
        first.setdefault(kind, f"{watch_url(video_id)}/hls/{name}.m3u8")
    return list(first.values())
