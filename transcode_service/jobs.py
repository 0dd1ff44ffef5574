"""Jobs: which worker works on which step of which video.

The rows are the truth. A worker that claims a job gets its next fence number and a lease, and
renews the lease while it works. Its later changes to the row count only while the row is `running`
under that fence. The reconciler queues jobs again whose lease has expired. All times are the
database's, so that machines with different clocks agree on when a lease ends.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, delete, func, or_, select, update
from sqlalchemy.orm import Session

from common.live import is_live, is_shown
from common.translation import gettext_noop
from db.clock import clock
from db.engine import change_rows, transaction
from db.models import REJECTION_LIMIT, Job, JobKind, JobState, PosterChoice, Video
from transcode_service.estimates import predict
from transcode_service.log_tail import log_tail

LEASE = timedelta(seconds=30)
ATTEMPTS = 3

_BACK_OFF = (timedelta(seconds=10), timedelta(seconds=60))  # after the first and second failure
_RECENT = timedelta(minutes=10)
_CANDIDATES = 8
_UNHELD: dict[str, Any] = {"worker": None, "leased_until": None, "progress": 0.0}
_LOST = gettext_noop(
    "This step was interrupted three times, perhaps because the machine ran out of memory."
    " It can be started again."
)


@dataclass(frozen=True)
class Claim:
    """A job that this worker holds."""

    job_id: int
    video_id: str
    kind: JobKind
    height: int
    fence: int
    estimate: float


@transaction(writes=True)
def claim(session: Session, *, worker: str) -> Claim | None:
    """Take the job that is next, or return None if nothing waits.

    The order is: kind, then height, then the owner with the fewest running and recently started
    jobs, then age. Jobs of a video in the bin wait until it is restored. The attempt counts from
    now on, so that a file which kills workers runs out of attempts.
    """
    time = clock(session)
    busy = _busy_owners(time).subquery()
    rank = case({kind: rank for rank, kind in enumerate(JobKind)}, value=Job.kind)
    candidates = (
        select(Job, Video)
        .join(Video, Video.id == Job.video_id)
        .join(busy, busy.c.owner_id == Video.owner_id, isouter=True)
        .where(
            Job.state == JobState.WAITING,
            or_(Job.not_before.is_(None), Job.not_before <= time),
            is_live(),
            is_shown(),
        )
        .order_by(rank, Job.height, func.coalesce(busy.c.jobs, 0), Job.created_at, Job.id)
        .limit(_CANDIDATES)
    )
    for job, video in session.execute(candidates).all():
        estimate = predict(session, job=job, video=video)
        taken = update(Job).where(
            Job.id == job.id, Job.state == JobState.WAITING, Job.fence == job.fence
        )
        values = {
            "state": JobState.RUNNING,
            "fence": job.fence + 1,
            "attempts": job.attempts + 1,
            "worker": worker,
            "leased_until": time + LEASE,
            "started_at": time,
            "finished_at": None,
            "progress": 0.0,
            "estimate": estimate,
        }
        if change_rows(session, taken.values(values)):
            return Claim(job.id, job.video_id, job.kind, job.height, job.fence + 1, estimate)
    return None


def _busy_owners(time: datetime) -> Select[int | None, int]:
    began = or_(Job.state == JobState.RUNNING, Job.started_at > time - _RECENT)
    return (
        select(Video.owner_id, func.count().label("jobs"))
        .join(Job, Job.video_id == Video.id)
        .where(began)
        .group_by(Video.owner_id)
    )


@transaction(writes=True)
def renew(session: Session, *, claim: Claim, progress: float) -> bool:
    """Extend the lease and store the progress; tell whether the job is still held.

    It is not held when another worker has claimed it or the video is no longer live.

    :param progress: 0 to 1.
    """
    values = {"leased_until": clock(session) + LEASE, "progress": progress}
    if not change_rows(session, _held(claim).values(values)):
        return False
    return is_wanted(session, claim=claim)


@transaction(writes=False)
def is_wanted(session: Session, *, claim: Claim) -> bool:
    """Tell whether the job is still held and its video still live."""
    held = (
        select(Job.id)
        .join(Video, Video.id == Job.video_id)
        .where(
            Job.id == claim.job_id,
            Job.fence == claim.fence,
            Job.state == JobState.RUNNING,
            is_live(),
        )
    )
    return session.scalar(held) is not None


@transaction(writes=True)
def finish(session: Session, *, claim: Claim, seconds: float) -> bool:
    """Record that the step is done; tell whether the job was still held.

    :param seconds: that the step took.
    """
    values = {
        **_UNHELD,
        **dict.fromkeys(("not_before", "error", "log_tail")),
        "state": JobState.DONE,
        "progress": 1.0,
        "finished_at": clock(session),
        "seconds": seconds,
    }
    return change_rows(session, _held(claim).values(values)) == 1


@transaction(writes=True)
def release(
    session: Session, *, claim: Claim, after: timedelta | None = None, error: str | None = None
) -> bool:
    """Queue the job again without counting the attempt; tell whether it was still held.

    :param after: the shortest time until it is tried again.
    :param error: the reason, shown to people.
    """
    values = {
        **_UNHELD,
        "state": JobState.WAITING,
        "attempts": Job.attempts - 1,
        "not_before": None if after is None else clock(session) + after,
        "error": error,
    }
    return change_rows(session, _held(claim).values(values)) == 1


@transaction(writes=True)
def fail(
    session: Session, *, claim: Claim, error: str, detail: str | None = None, final: bool = False
) -> bool:
    """Record a failed attempt; tell whether the job was still held. It is tried three times in all.

    :param error: what happened, shown to people.
    :param detail: ffmpeg's last lines; shown without tracebacks and paths.
    :param final: whether trying again would change nothing.
    """
    job = session.get(Job, claim.job_id)
    if job is None:
        return False
    tail = log_tail(detail) if detail else None
    values = _UNHELD | {"error": error[:REJECTION_LIMIT], "log_tail": tail}
    time = clock(session)
    if final or job.attempts >= ATTEMPTS:
        values |= {"state": JobState.FAILED, "finished_at": time, "not_before": None}
    else:
        values |= {"state": JobState.WAITING, "not_before": time + _BACK_OFF[job.attempts - 1]}
    was_held = change_rows(session, _held(claim).values(values)) == 1
    if was_held and final and claim.kind is JobKind.POSTER:
        # An image that cannot be used would stay in the database, and count for no quota.
        of_video = PosterChoice.video_id == claim.video_id
        session.execute(delete(PosterChoice).where(of_video, PosterChoice.image.is_not(None)))
    return was_held


@transaction(writes=True)
def expire(session: Session, *, worker: str | None = None) -> int:
    """Queue jobs again whose lease has expired, and return how many there were.

    :param worker: a worker that is known to have ended: its jobs, whatever their leases.
    """
    time = clock(session)
    lost = Job.leased_until < time if worker is None else Job.worker == worker
    running = update(Job).where(Job.state == JobState.RUNNING, lost)
    over = _UNHELD | {"state": JobState.FAILED, "finished_at": time, "error": _LOST}
    again = _UNHELD | {"state": JobState.WAITING, "not_before": None}
    ended = change_rows(session, running.where(Job.attempts >= ATTEMPTS).values(over))
    return ended + change_rows(session, running.values(again))


def _held(claim: Claim) -> Any:
    return update(Job).where(
        Job.id == claim.job_id, Job.fence == claim.fence, Job.state == JobState.RUNNING
    )
