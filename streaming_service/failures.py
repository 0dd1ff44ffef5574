"""Steps of preparing that failed for good: listed for administrators, and started again.

Whose video it is, which step failed and what the tools said is what an administrator needs to mend
it. Of the video itself they learn no more here than anywhere else: see `common.access`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Update, and_, func, or_, select, update
from sqlalchemy.orm import Session, contains_eager

from common.access import Viewer, may_watch
from common.errors import Conflict
from common.processing import Step
from common.web.urls import watch_url
from db.models import Job, JobState, Video
from streaming_service.cursors import StepCursor
from streaming_service.library import access_of, get_video_to_edit
from streaming_service.preparing import PreparedStep

PAGE = 25  # steps

# Videos of which a step can be mended: they are there, somebody's, and were not refused.
_MENDABLE = (
    Video.deleted_at.is_(None),
    Video.owner_id.is_not(None),
    Video.rejection_reason.is_(None),
)


@dataclass(frozen=True)
class Failure:
    """A step that is not tried again by itself, and what is said of it.

    :param title: of the video; None where the viewer may not watch it.
    :param prepared: the step, with the sentence for people and ffmpeg's last lines.
    """

    step_id: int
    video_id: str
    title: str | None
    owner_name: str
    ended_at: datetime
    attempts: int
    prepared: PreparedStep

    @property
    def words(self) -> str:
        """Name the step, and say where it stands: `720p: failed`."""
        return self.prepared.words

    @property
    def again(self) -> str:
        """The address that starts it again."""
        return f"/stream/failed/{self.step_id}/again"

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        step = self.prepared.step
        page = {} if self.title is None else {"page": watch_url(self.video_id)}
        return {
            "id": self.step_id,
            "video": self.video_id,
            "title": self.title,
            "owner": self.owner_name,
            "kind": step.kind.value,
            "height": step.height or None,
            "words": self.words,
            "ended_at": self.ended_at.isoformat(timespec="seconds"),
            "attempts": self.attempts,
            "error": self.prepared.error,
            "detail": self.prepared.detail,
            "urls": {"again": self.again} | page,
        }


@dataclass(frozen=True)
class Failures:
    """A page of the list, and where the next one begins, if there is one."""

    steps: list[Failure]
    next: StepCursor | None


def list_failures(session: Session, viewer: Viewer, *, after: StepCursor | None = None) -> Failures:
    """Return a page of the steps that failed, of everybody's videos, the latest first.

    What a refused video could not do is told to its owner, and cannot be mended by trying again.

    :param viewer: an administrator.
    :param after: where the page before ended, from its :class:`Failures`.
    """
    # Whatever ends a job for good says when; the column alone does not promise it.
    ended_at = func.coalesce(Job.finished_at, Job.created_at)
    wanted = (
        select(Job, Video)
        .join(Video, Video.id == Job.video_id)
        .join(Video.owner)
        .options(contains_eager(Video.owner))
        .where(Job.state == JobState.FAILED, *_MENDABLE)
        .order_by(ended_at.desc(), Job.id.desc())
        .limit(PAGE + 1)  # one more than is shown tells whether there is a next page
    )
    if after is not None:
        same = and_(ended_at == after.ended_at, Job.id < after.step_id)
        wanted = wanted.where(or_(ended_at < after.ended_at, same))
    steps = [_failure(viewer, job, video) for job, video in session.execute(wanted)]
    if len(steps) <= PAGE:
        return Failures(steps, None)
    last = steps[PAGE - 1]
    return Failures(steps[:PAGE], StepCursor(last.ended_at, last.step_id))


def _failure(viewer: Viewer, job: Job, video: Video) -> Failure:
    step = Step(job.kind, job.height, job.state, percent=0, done_at=None)
    return Failure(
        step_id=job.id,
        video_id=video.id,
        title=video.title if may_watch(viewer, access_of(video)) else None,
        owner_name=video.owner.name if video.owner is not None else "",
        ended_at=job.finished_at or job.created_at,
        attempts=job.attempts,
        prepared=PreparedStep(step, is_next=False, error=job.error, detail=job.log_tail),
    )


def start_again(session: Session, viewer: Viewer, video_id: str) -> int:
    """Let the steps of a video that failed wait again, and return how many there are.

    :raises NotThere: it is not theirs to edit.
    :raises Conflict: it was refused.
    """
    video = get_video_to_edit(session, viewer, video_id)
    if video.rejection_reason is not None:
        raise Conflict("This video cannot be played, and trying again would not change that.")
    return _let_wait(session, update(Job).where(Job.video_id == video_id))


def start_step_again(session: Session, step_id: int) -> int:
    """Let a step wait again, if it is one of those listed; return how many that are: 1 or 0.

    For administrators. Whatever is not listed is left as it is.
    """
    mendable = select(Video.id).where(*_MENDABLE)
    return _let_wait(session, update(Job).where(Job.id == step_id, Job.video_id.in_(mendable)))


def _let_wait(session: Session, jobs: Update) -> int:
    # No step is in the session, so there is none to bring up to date.
    alone = {"synchronize_session": False}
    values = {"state": JobState.WAITING, "attempts": 0, "progress": 0.0}
    nothing = dict.fromkeys(("not_before", "finished_at", "error", "log_tail"))
    statement = jobs.where(Job.state == JobState.FAILED).values(values | nothing)
    result = session.execute(statement, execution_options=alone)
    return cast("CursorResult[Any]", result).rowcount
