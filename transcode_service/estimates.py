"""How long a step will take, told from what steps took on this machine.

A plain model gives each step's size: what has to be decoded and encoded, and what every step costs
however small it is. How the last steps compared with the model corrects it: those of the same
video, of the same height, and of about the same size count most. So the first prediction on a new
machine is a guess, and the tenth is not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Job, JobKind, JobState, Video

_REMEMBERED = 60  # finished steps of a kind that are looked at
_FIXED = {  # seconds that a step takes at least
    JobKind.CHECK: 0.4,
    JobKind.PICTURES: 0.6,
    JobKind.COPY: 0.3,
    JobKind.AUDIO: 0.3,
    JobKind.RUNG: 0.5,
}
_DECODED = 0.006  # seconds for a second of film of a million pixels, at 25 pictures a second
_ENCODED = 0.12
_HEARD = 0.004  # seconds for a second of sound
_COPIED = 3e-9  # seconds for a byte
_PICTURED = 0.002  # seconds for a second of film of a million pixels, of which few are decoded


@dataclass(frozen=True)
class Sample:
    """How long a finished step took (in seconds), and how long the model had said."""

    video_id: str
    height: int
    modelled: float
    seconds: float


def model(*, kind: JobKind, height: int, video: Video) -> float:
    """Return the seconds that a step takes on a machine of middling speed."""
    duration = video.duration_ms / 1000
    pixels = max(1, video.width * video.height) / 1e6
    fixed = _FIXED[kind]
    match kind:
        case JobKind.CHECK:
            return fixed + duration * pixels * _DECODED
        case JobKind.PICTURES:
            return fixed + duration * pixels * _PICTURED
        case JobKind.COPY:
            return fixed + video.size * _COPIED
        case JobKind.AUDIO:
            return fixed + duration * _HEARD
        case JobKind.RUNG:
            share = min(1.0, (height / max(1, min(video.width, video.height))) ** 2)
            return fixed + duration * pixels * (_DECODED + _ENCODED * share)


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
    """Return what the model's seconds are multiplied with: the weighted median of the samples."""
    weighed = []
    for sample in samples:
        weight = 1 / (1 + 4 * abs(math.log(sample.modelled / modelled)))
        weight *= 6 if sample.video_id == video_id else 1
        weight *= 4 if sample.height == height else 1
        weighed.append((sample.seconds / sample.modelled, weight))
    if not weighed:
        return 1.0
    half = sum(weight for _, weight in weighed) / 2
    for ratio, weight in sorted(weighed):
        half -= weight
        if half <= 0:
            return ratio
    return weighed[-1][0]


def refresh(session: Session, *, video_id: str) -> None:
    """Predict the waiting steps of a video anew, from what its finished steps have shown."""
    video = session.get(Video, video_id)
    if video is None:
        return
    waiting = select(Job).where(Job.video_id == video_id, Job.state == JobState.WAITING)
    for job in session.scalars(waiting):
        job.estimate = predict(session, job=job, video=video)
