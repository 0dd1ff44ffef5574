"""How long a step will take, told from what steps took on this machine.

A plain model gives each step's size: what has to be decoded and encoded, and what every step costs
however small it is. How the last steps compared with the model corrects it: those of the
same height and of about the same size count most, and those of the same video tell how much harder
it is than others. So the first prediction on a new
machine is a guess, and the tenth is not.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Job, JobKind, JobState, Video

_FRESH = 10  # steps after which one counts half: machines get busy, and free again
_REMEMBERED = 60  # finished steps of a kind that are looked at
_FIXED = {  # seconds that a step takes at least
    JobKind.CHECK: 0.6,
    JobKind.THUMBNAILS: 0.3,
    JobKind.REMUX: 0.2,
    JobKind.AUDIO: 0.2,
    JobKind.RENDITION: 0.3,
}
# Seconds of one processor for a second of film of a million pixels, at 25 pictures a second.
_DECODED = 0.05
_ENCODED = 0.6
_UNPACKED = 4e-8  # for a byte of what is decoded
_PICTURED = 0.002  # few pictures are decoded
_HEARD = 0.002  # seconds for a second of sound
_READ = 3e-9  # seconds for a byte
_CORES = min(os.cpu_count() or 1, 8)  # that one ffmpeg makes good use of


@dataclass(frozen=True)
class Sample:
    """How long a finished step took (in seconds), and how long the model had said."""

    video_id: str
    height: int
    modelled: float
    seconds: float

    @property
    def ratio(self) -> float:
        """How much longer it took than the model had said."""
        return self.seconds / self.modelled


def model(*, kind: JobKind, height: int, video: Video) -> float:
    """Return the seconds that a step takes on a machine of middling speed."""
    # Only the check job runs before these are known, and its estimate needs neither.
    duration = (video.duration_ms or 0) / 1000
    width, height_of_source = video.width or 0, video.height or 0
    pixels = max(1, width * height_of_source) / 1e6
    fixed = _FIXED[kind]
    match kind:
        case JobKind.CHECK | JobKind.REMUX:
            return fixed + video.size * _READ
        case JobKind.THUMBNAILS:
            return fixed + duration * pixels * _PICTURED
        case JobKind.AUDIO:
            return fixed + duration * _HEARD
        case JobKind.RENDITION:
            share = min(1.0, (height / max(1, min(width, height_of_source))) ** 2)
            work = duration * pixels * (_DECODED + _ENCODED * share) + video.size * _UNPACKED
            return fixed + work / _CORES


def predict(session: Session, *, job: Job, video: Video) -> float:
    """Return how many seconds a step will take, from the last ones that were finished."""
    finished = (
        select(Job, Video)
        .join(Video, Video.id == Job.video_id)
        .where(Job.state == JobState.DONE, Job.kind == job.kind, Job.seconds.is_not(None))
        .order_by(Job.id.desc())
        .limit(_REMEMBERED)
    )
    samples = [
        Sample(
            video_id=done.video_id,
            height=done.height,
            modelled=model(kind=done.kind, height=done.height, video=film),
            seconds=done.seconds or 0.0,
        )
        for done, film in session.execute(finished)
    ]
    modelled = model(kind=job.kind, height=job.height or 0, video=video)
    return modelled * correction(
        samples, modelled=modelled, height=job.height or 0, video_id=job.video_id
    )


def correction(samples: Sequence[Sample], *, modelled: float, height: int, video_id: str) -> float:
    """Return what the model's seconds are multiplied with.

    That is how fast this machine is at such steps, told from other videos, times how much harder
    than those this video has been so far.

    :param samples: of the same kind, newest first.
    """
    others = [sample for sample in samples if sample.video_id != video_id]
    own = [sample for sample in samples if sample.video_id == video_id]
    harder = [
        (sample.ratio / _speed(others, like=sample), 1 / (1 + abs(sample.height - height)))
        for sample in own
    ]
    here = Sample(video_id, height, modelled, seconds=modelled)
    return _speed(others, like=here) * _median(harder)


def _speed(samples: Sequence[Sample], *, like: Sample) -> float:
    """Return the ratio of the samples, of which the newest and the most like another count most."""
    return _median(
        [
            (
                sample.ratio,
                (8 if sample.height == like.height else 1)
                / (1 + 4 * abs(math.log(sample.modelled / like.modelled)))
                / (1 + age / _FRESH),
            )
            for age, sample in enumerate(samples)
        ]
    )


def _median(weighed: Sequence[tuple[float, float]]) -> float:
    """Return the median of values with weights; 1 if there is none."""
    half = sum(weight for _, weight in weighed) / 2
    for value, weight in sorted(weighed):
        half -= weight
        if half <= 0:
            return value
    return 1.0


def refresh(session: Session, *, video_id: str) -> None:
    """Predict the waiting steps of a video anew, from what its finished steps have shown."""
    video = session.get(Video, video_id)
    if video is None:
        return
    waiting = select(Job).where(Job.video_id == video_id, Job.state == JobState.WAITING)
    for job in session.scalars(waiting):
        job.estimate = predict(session, job=job, video=video)
