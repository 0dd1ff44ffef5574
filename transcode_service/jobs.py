"""Jobs: who works on which step of which video. Each function is part of one transaction.

The rows are the truth. Whoever claims a job gets its next fence and a lease, and renews the lease
while it works; what it does to the row afterwards holds only while the row is `running` under that
fence. A lease that has run out belongs to nobody: see `reconciler.py`. Times are the database's
own, so that machines whose clocks differ agree on when a lease ends.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Select, case, func, or_, select, text, update
from sqlalchemy.orm import Session

from db.models import REJECTION_LIMIT, Job, JobKind, JobState, Video, now
from transcode_service.estimates import predict

LEASE = timedelta(seconds=30)
ATTEMPTS = 3
DETAIL_LIMIT = 4000  # characters of ffmpeg's last lines

_BACK_OFF = (timedelta(seconds=10), timedelta(seconds=60))  # after the first and second failure
_RECENT = timedelta(minutes=10)
_CANDIDATES = 8
_LOST = (
    "This step was broken off three times, perhaps because the machine ran out of memory."
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


def clock(session: Session) -> datetime:
    """Return the time as the database knows it."""
    if session.get_bind().dialect.name != "mysql":
        return now()  # an SQLite file has the clock of whoever opens it
    told: datetime = session.execute(text("SELECT UTC_TIMESTAMP(6)")).scalar_one()
    return told.replace(tzinfo=UTC)


def rank() -> ColumnElement[int]:
    """Return what jobs are first ordered by: the rank of their kind."""
    return case({kind: rank for rank, kind in enumerate(JobKind)}, value=Job.kind)


def claimable(time: datetime) -> Select[Job, Video]:
    """Select the jobs that wait and may be begun, each with its video."""
    return (
        select(Job, Video)
        .join(Video, Video.id == Job.video_id)
        .where(
            Job.state == JobState.WAITING,
            or_(Job.not_before.is_(None), Job.not_before <= time),
            Video.deleted_at.is_(None),
            Video.owner_id.is_not(None),
            Video.rejection_reason.is_(None),
        )
    )


def claim(session: Session, *, worker: str) -> Claim | None:
    """Take the job that is next, or return None if nothing waits.

    Next is the earliest kind and lowest rung; among these, one of the owner who has the fewest
    running and recently begun jobs; among these, the oldest. The attempt counts from now on, so
    that a file which kills workers runs out of attempts.
    """
    time = clock(session)
    busy = _busy_owners(time).subquery()
    candidates = (
        claimable(time)
        .join(busy, busy.c.owner_id == Video.owner_id, isouter=True)
        .order_by(rank(), Job.height, func.coalesce(busy.c.jobs, 0), Job.created_at, Job.id)
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
        if _changed(session, taken.values(values)):
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


def renew(session: Session, *, claim: Claim, progress: float) -> bool:
    """Extend the lease, and note how far the step has come; tell whether the job is still held.

    It is not when somebody else has been given it, or the video is to be removed.
    """
    values = {"leased_until": clock(session) + LEASE, "progress": progress}
    if not _changed(session, _held(claim).values(values)):
        return False
    return is_wanted(session, claim=claim)


def is_wanted(session: Session, *, claim: Claim) -> bool:
    """Tell whether the job is still held, and its video still somebody's."""
    held = (
        select(Job.id)
        .join(Video, Video.id == Job.video_id)
        .where(
            Job.id == claim.job_id,
            Job.fence == claim.fence,
            Job.state == JobState.RUNNING,
            Video.deleted_at.is_(None),
            Video.owner_id.is_not(None),
        )
    )
    return session.scalar(held) is not None


def finish(session: Session, *, claim: Claim, seconds: float) -> bool:
    """Note that the step is done; tell whether the job was still held."""
    values = {
        "state": JobState.DONE,
        "progress": 1.0,
        "finished_at": clock(session),
        "seconds": seconds,
        "worker": None,
        "leased_until": None,
        "not_before": None,
        "error": None,
        "log_tail": None,
    }
    return _changed(session, _held(claim).values(values))


def hand_back(
    session: Session, *, claim: Claim, after: timedelta | None = None, error: str | None = None
) -> bool:
    """Let the job wait again as if it had not been begun; tell whether it was still held.

    :param after: how long it is to wait at least.
    :param error: why, in words for people.
    """
    values = {
        "state": JobState.WAITING,
        "attempts": Job.attempts - 1,
        "worker": None,
        "leased_until": None,
        "not_before": None if after is None else clock(session) + after,
        "progress": 0.0,
        "error": error,
    }
    return _changed(session, _held(claim).values(values))


def fail(
    session: Session, *, claim: Claim, error: str, detail: str | None = None, final: bool = False
) -> bool:
    """Note a failed attempt: it is tried again later, three times in all.

    :param error: what happened, in words for people.
    :param detail: ffmpeg's last lines, for administrators.
    :param final: whether trying again would change nothing.
    :return: whether the job was still held.
    """
    job = session.get(Job, claim.job_id)
    if job is None:
        return False
    values: dict[str, Any] = {
        "worker": None,
        "leased_until": None,
        "progress": 0.0,
        "error": error[:REJECTION_LIMIT],
        "log_tail": detail[-DETAIL_LIMIT:] if detail else None,
    }
    time = clock(session)
    if final or job.attempts >= ATTEMPTS:
        values |= {"state": JobState.FAILED, "finished_at": time, "not_before": None}
    else:
        values |= {"state": JobState.WAITING, "not_before": time + _BACK_OFF[job.attempts - 1]}
    return _changed(session, _held(claim).values(values))


def expire(session: Session, *, worker: str | None = None) -> int:
    """Bring back what nobody holds any more, and return how many jobs that were.

    :param worker: one that is known to have ended, so that its leases need not run out first.
    """
    time = clock(session)
    lost = Job.leased_until < time if worker is None else Job.worker == worker
    running = select(Job).where(Job.state == JobState.RUNNING, lost)
    return sum(_bring_back(session, job, time) for job in session.scalars(running).all())


def _bring_back(session: Session, job: Job, time: datetime) -> bool:
    same = update(Job).where(
        Job.id == job.id,
        Job.fence == job.fence,
        Job.state == JobState.RUNNING,
        Job.leased_until == job.leased_until,
    )
    values: dict[str, Any] = {"worker": None, "leased_until": None, "progress": 0.0}
    if job.attempts >= ATTEMPTS:
        values |= {"state": JobState.FAILED, "finished_at": time, "error": _LOST}
    else:
        values |= {"state": JobState.WAITING, "not_before": None}
    return _changed(session, same.values(values))


def count_claimable(session: Session) -> int:
    """Return how many jobs could be begun now."""
    waiting = claimable(clock(session)).with_only_columns(func.count())
    return session.execute(waiting).scalar_one()


def _held(claim: Claim) -> Any:
    return update(Job).where(
        Job.id == claim.job_id, Job.fence == claim.fence, Job.state == JobState.RUNNING
    )


def _changed(session: Session, statement: Any) -> bool:
    # Objects in the session are not needed any more, and would only be compared with the change.
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount == 1
