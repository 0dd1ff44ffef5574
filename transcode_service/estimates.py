"""How many seconds a step will take, predicted from finished steps on this machine.

The prediction is a model times a correction. The model counts what has to be read, decoded and
encoded. The correction is a weighted median of the ratios of real to modelled seconds: recent steps
of the same height and of a similar size count most. It is multiplied by how much harder than other
videos this video has been so far. So the first prediction on a new machine is a guess, and later
ones are measured.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import transaction
from db.models import Job, JobKind, JobState, Video

_HALF_WEIGHT_AGE = 10  # newer finished steps after which one counts half; machines get busy
_MAX_SAMPLES = 60  # finished steps of a kind that are looked at
_SAME_HEIGHT = 8  # the weight of a step of the same height, compared with other heights
_FIXED_SECONDS = {  # the shortest time of a step
    JobKind.POSTER: 0.5,
    JobKind.CHECK: 0.6,
    JobKind.THUMBNAILS: 0.3,
    JobKind.REMUX: 0.2,
    JobKind.AUDIO: 0.2,
    JobKind.RENDITION: 0.3,
}
# CPU seconds for a second of video with a million pixels at 25 frames a second.
_DECODE = 0.05
_ENCODE = 0.6
_DECODE_BYTE = 4e-8  # CPU seconds for a byte that is decoded
_THUMBNAILS = 0.002  # only keyframes are decoded
_AUDIO = 0.002  # seconds for a second of audio
_READ_BYTE = 3e-9  # seconds
_CORES = min(os.cpu_count() or 1, 8)  # as many as one ffmpeg keeps busy


@dataclass(frozen=True)
class Sample:
    """A finished step: the seconds that it took, and those of the model."""

    video_id: str
    height: int
    modelled: float
    seconds: float

    @property
    def ratio(self) -> float:
        """How many times longer than modelled it took."""
        return self.seconds / self.modelled


def model(*, kind: JobKind, height: int, video: Video) -> float:
    """Return the seconds that a step takes on a machine of average speed."""
    # Before the check some uploads have no measurements.
    duration = (video.duration_ms or 0) / 1000
    width, lines = video.width or 0, video.height or 0
    megapixels = max(1, width * lines) / 1e6
    fixed = _FIXED_SECONDS[kind]
    match kind:
        case JobKind.CHECK | JobKind.REMUX | JobKind.POSTER:
            return fixed + video.size * _READ_BYTE
        case JobKind.THUMBNAILS:
            return fixed + duration * megapixels * _THUMBNAILS
        case JobKind.AUDIO:
            return fixed + duration * _AUDIO
        case JobKind.RENDITION:
            share = min(1.0, (height / max(1, min(width, lines))) ** 2)
            decode = duration * megapixels * _DECODE + video.size * _DECODE_BYTE
            encode = duration * megapixels * share * _ENCODE
            return fixed + (decode + encode) / _CORES


def predict(session: Session, *, job: Job, video: Video) -> float:
    """Return how many seconds a step will take."""
    finished = (
        select(Job, Video)
        .join(Video, Video.id == Job.video_id)
        .where(Job.state == JobState.DONE, Job.kind == job.kind, Job.seconds.is_not(None))
        .order_by(Job.id.desc())
        .limit(_MAX_SAMPLES)
    )
    samples = [
        Sample(
            video_id=done.video_id,
            height=done.height,
            modelled=model(kind=done.kind, height=done.height, video=its_video),
            seconds=done.seconds or 0.0,
        )
        for done, its_video in session.execute(finished)
    ]
    modelled = model(kind=job.kind, height=job.height or 0, video=video)
    return modelled * correction(
        samples, modelled=modelled, height=job.height or 0, video_id=job.video_id
    )


def correction(samples: Sequence[Sample], *, modelled: float, height: int, video_id: str) -> float:
    """Return the factor for the model's seconds.

    That is the speed of this machine at such steps, measured on other videos, times how much harder
    than those this video has been so far.

    :param samples: of the same kind, newest first.
    """
    others = [sample for sample in samples if sample.video_id != video_id]
    own = [sample for sample in samples if sample.video_id == video_id]
    harder = [
        (
            sample.ratio / _speed(others, height=sample.height, modelled=sample.modelled),
            1 / (1 + abs(sample.height - height)),
        )
        for sample in own
    ]
    return _speed(others, height=height, modelled=modelled) * _weighted_median(harder)


def _speed(samples: Sequence[Sample], *, height: int, modelled: float) -> float:
    """Return the typical ratio of samples like a step of that height and modelled seconds."""
    weighted = []
    for age, sample in enumerate(samples):
        weight = _SAME_HEIGHT if sample.height == height else 1.0
        weight /= 1 + 4 * abs(math.log(sample.modelled / modelled))
        weight /= 1 + age / _HALF_WEIGHT_AGE
        weighted.append((sample.ratio, weight))
    return _weighted_median(weighted)


def _weighted_median(weighted: Sequence[tuple[float, float]]) -> float:
    """Return the median of values with weights; 1 if there is none."""
    half = sum(weight for _, weight in weighted) / 2
    for value, weight in sorted(weighted):
        half -= weight
        if half <= 0:
            return value
    return 1.0


@transaction(writes=True)
def refresh(session: Session, *, video_id: str) -> None:
    """Predict the waiting steps of a video again, after one of its steps was finished."""
    video = session.get(Video, video_id)
    if video is None:
        return
    waiting = select(Job).where(Job.video_id == video_id, Job.state == JobState.WAITING)
    for job in session.scalars(waiting):
        job.estimate = predict(session, job=job, video=video)
