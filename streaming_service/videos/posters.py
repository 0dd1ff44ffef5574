"""Choosing the poster of a video. The transcode service makes it, within seconds."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from common.access import Viewer
from common.errors import Conflict, Unprocessable
from common.forecast import OPEN_STATES
from common.job_queue import wake_workers
from common.stores import Stores
from common.translation import gettext, gettext_noop
from db.engine import transaction
from db.models import POSTER_LIMIT, Job, JobKind, JobState, PosterChoice, now
from streaming_service.videos.changes import upsert
from streaming_service.videos.library import get_video_to_edit


class TooLate(Unprocessable):
    """A moment after the end of the video."""

    sentence = gettext_noop("The video is shorter than that.")


def choose_poster(
    stores: Stores,
    viewer: Viewer,
    video_id: str,
    *,
    at_ms: int | None = None,
    image: bytes | None = None,
) -> None:
    """Choose a moment of a video, or an image, as its poster.

    :param image: a PNG, JPEG or WebP file of up to 5 MB. Exactly one of both is given.
    :raises NotFound: the video is not theirs to edit.
    :raises Unprocessable: the moment is after the end, or the image is none or too large.
    :raises Conflict: the video was rejected.
    """
    if image is not None:
        _check_image(image)
    upsert(store_choice, stores.database, viewer, video_id, at_ms=at_ms, image=image)
    wake_workers(stores.redis)


def _check_image(image: bytes) -> None:
    """Look at how a file begins; the transcode service reads it."""
    if len(image) > POSTER_LIMIT:
        raise Unprocessable(gettext("The image is larger than 5 MB."))
    is_webp = image.startswith(b"RIFF") and image[8:12] == b"WEBP"
    if not (is_webp or image.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))):
        raise Unprocessable(gettext("Choose an image: JPEG, PNG or WebP."))


@transaction(writes=True)
def store_choice(
    session: Session, viewer: Viewer, video_id: str, *, at_ms: int | None, image: bytes | None
) -> None:
    """Store what was chosen, and queue the job that makes it. Call it through `upsert`.

    An attempt at an earlier choice loses its job, so that it publishes nothing.
    """
    video = get_video_to_edit(session, viewer, video_id)
    if video.rejection_reason is not None:
        raise Conflict(gettext("This video cannot be played, so it has no poster."))
    if at_ms is not None and video.duration_ms is not None and at_ms > video.duration_ms:
        raise TooLate
    session.merge(PosterChoice(video_id=video_id, at_ms=at_ms, image=image, created_at=now()))
    job = session.scalar(_poster_job(video_id).with_for_update())
    if job is None:
        job = Job(video_id=video_id, kind=JobKind.POSTER)
        session.add(job)
    job.state, job.attempts, job.progress = JobState.WAITING, 0, 0.0
    job.worker = job.leased_until = job.not_before = job.finished_at = None
    job.error = job.log_tail = None


@transaction(writes=False)
def poster_progress(session: Session, video_id: str) -> tuple[bool, str | None]:
    """Return whether the poster that was chosen last is being made, and else why that failed."""
    job = session.scalar(_poster_job(video_id))
    if job is None:
        return False, None
    error = job.error if job.state is JobState.FAILED else None
    return job.state in OPEN_STATES, gettext(error) if error else None


def _poster_job(video_id: str) -> Select[Job]:
    return select(Job).where(Job.video_id == video_id, Job.kind == JobKind.POSTER)
