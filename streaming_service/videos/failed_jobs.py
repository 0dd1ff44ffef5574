"""Jobs that failed for good: listed for administrators, and queued again.

An administrator sees whose video it is, which job failed and the last lines of its log. Of the
video itself they see no more here than anywhere else; see `common.access`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session, contains_eager

from common.access import Viewer, Watcher
from common.errors import Conflict
from common.job_queue import wake_workers
from common.live import is_live, is_shown
from common.stores import Stores
from common.translation import gettext
from common.web.urls import watch_url
from db.engine import change_rows, transaction
from db.models import Job, JobState, Video
from streaming_service.processing.status import JobProgress, iso
from streaming_service.videos.cursors import FailedJobCursor
from streaming_service.videos.library import get_video_to_edit, rights_for

PAGE = 25  # jobs


def _can_be_retried() -> ColumnElement[bool]:
    """Return the condition that a job of a video may be tried again.

    Its video is live, not in the bin, and not rejected.
    """
    return and_(is_live(), is_shown())


@dataclass(frozen=True)
class FailedJob:
    """A job that is not tried again by itself, and its video, loaded with its owner.

    :ivar title: of the video; None if the viewer may not watch it.
    """

    job: Job
    video: Video
    title: str | None

    @property
    def label(self) -> str:
        """Name the job and its state: `720p: failed`."""
        return JobProgress.of(self.job).label

    @property
    def ended_at(self) -> datetime:
        """When its last attempt ended."""
        return self.job.finished_at or self.job.created_at

    @property
    def owner_name(self) -> str:
        """The name of the video's owner."""
        return self.video.owner.name if self.video.owner is not None else ""

    @property
    def error(self) -> str | None:
        """Why it failed, for people, if that is known."""
        return JobProgress.of(self.job).error

    @property
    def again(self) -> str:
        """The URL that queues it again."""
        return f"/stream/failed/{self.job.id}/again"

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        page = {} if self.title is None else {"page": watch_url(self.video.id)}
        return {
            "id": self.job.id,
            "video": self.video.id,
            "title": self.title,
            "owner": self.owner_name,
            "kind": self.job.kind.value,
            "height": self.job.height or None,
            "words": self.label,
            "ended_at": iso(self.ended_at),
            "attempts": self.job.attempts,
            "error": self.error,
            "detail": self.job.log_tail,
            "urls": {"again": self.again} | page,
        }


@dataclass(frozen=True)
class FailedJobPage:
    """A page of the list, and the cursor of the next page, if there is one."""

    jobs: list[FailedJob]
    next: FailedJobCursor | None


@transaction(writes=False)
def list_failed_jobs(
    session: Session, viewer: Viewer, *, after: FailedJobCursor | None = None
) -> FailedJobPage:
    """Return a page of the failed jobs of everybody's videos, the latest first.

    Jobs of rejected videos are left out: their owners are told, and trying again cannot help.

    :param viewer: an administrator.
    :param after: the cursor of the page before, from its :class:`FailedJobPage`.
    """
    # A failed job has a finish time; the column alone does not guarantee it.
    ended_at = func.coalesce(Job.finished_at, Job.created_at)
    wanted = (
        select(Job, Video)
        .join(Video, Video.id == Job.video_id)
        .join(Video.owner)
        .options(contains_eager(Video.owner))
        .where(Job.state == JobState.FAILED, _can_be_retried())
        .order_by(ended_at.desc(), Job.id.desc())
        .limit(PAGE + 1)  # one more than is shown tells whether there is a next page
    )
    if after is not None:
        same = and_(ended_at == after.ended_at, Job.id < after.job_id)
        wanted = wanted.where(or_(ended_at < after.ended_at, same))
    found = session.execute(wanted).all()
    rights = rights_for(session, Watcher(viewer), [video.id for _, video in found])
    jobs = [
        FailedJob(job, video, title=video.title if rights[video.id].watch else None)
        for job, video in found
    ]
    if len(jobs) <= PAGE:
        return FailedJobPage(jobs, None)
    last = jobs[PAGE - 1]
    return FailedJobPage(jobs[:PAGE], FailedJobCursor(last.ended_at, last.job.id))


def retry_video(stores: Stores, viewer: Viewer, video_id: str) -> None:
    """Queue the failed jobs of a video again.

    :raises NotFound: it is not theirs to edit.
    :raises Conflict: it was rejected.
    """
    wake_workers(stores.redis, _queue_video(stores.database, viewer, video_id))


@transaction(writes=True)
def _queue_video(session: Session, viewer: Viewer, video_id: str) -> int:
    video = get_video_to_edit(session, viewer, video_id)
    if video.rejection_reason is not None:
        raise Conflict(
            gettext("This video cannot be played, and trying again would not change that.")
        )
    return _queue_again(session, Job.video_id == video_id)


def retry_job(stores: Stores, job_id: int) -> bool:
    """Queue a failed job again, whoever owns the video; tell whether there is one.

    For administrators. A job that is not listed stays as it is.
    """
    listed = Job.video_id.in_(select(Video.id).where(_can_be_retried()))
    count = stores.database.write(lambda session: _queue_again(session, Job.id == job_id, listed))
    wake_workers(stores.redis, count)
    return count > 0


def _queue_again(session: Session, *where: ColumnElement[bool]) -> int:
    """Set those of these jobs that failed to waiting; return how many there are."""
    values = {"state": JobState.WAITING, "attempts": 0, "progress": 0.0}
    cleared = dict.fromkeys(("not_before", "finished_at", "error", "log_tail"))
    statement = update(Job).where(Job.state == JobState.FAILED, *where).values(values | cleared)
    return change_rows(session, statement)
