"""Publishing: the output of an attempt becomes part of its video, once.

Each function is one transaction. Files are finished before: in the attempt's folder, or as objects
that are not current yet. The transaction locks the video, so nobody removes it meanwhile. Whoever
publishes renditions has written a master playlist before; both are published only if the rows
still say what it names. A crash leaves files or objects without a use, which the next attempt
replaces. A transaction that is run again finds its files already in place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from common.live import is_live, is_live_video
from common.storage import AttemptStore, objects
from common.storage.errors import StoreUnavailable
from common.storage.object_files import WrittenObject
from db.engine import transaction
from db.models import (
    REJECTION_LIMIT,
    Job,
    JobKind,
    JobState,
    PosterChoice,
    Rendition,
    RenditionKind,
    StoredObject,
    Video,
)
from transcode_service.estimates import refresh
from transcode_service.jobs import Claim, fail, finish
from transcode_service.media.source_info import RenditionInfo, SourceInfo
from transcode_service.media.storyboard import POSTER
from transcode_service.steps import ChosenPoster, StepOutput

MASTER = "hls/master.m3u8"


class MasterOutdated(Exception):
    """The rows say something else than the master playlist, which has to be written again."""


@dataclass(frozen=True)
class FinishedFiles:
    """Files of a video that a transaction may publish, by the names that they get.

    :ivar paths: where they are on the disk.
    :ivar written: the objects that have their bytes; None: they are published on the disk.
    """

    storage: AttemptStore
    video_id: str
    paths: Mapping[str, Path]
    written: Mapping[str, WrittenObject] | None = None

    def publish(self, session: Session, names: Sequence[str]) -> None:
        """Publish some of the files. The caller has locked the video."""
        if self.written is None:
            for name in names:
                self.storage.publish_file(self.paths[name], self.video_id, name)
            objects.retire(session, video_id=self.video_id, names=names)
            return
        for name in names:
            made = self.written[name]
            if not objects.make_current(
                session, object_id=made.id, size=made.size, sha256=made.sha256
            ):
                raise StoreUnavailable(f"{made.key} was removed before it was published")


@transaction(writes=True)
def publish(
    session: Session,
    *,
    claim: Claim,
    output: StepOutput,
    files: FinishedFiles,
    named: Sequence[RenditionInfo],
    seconds: float,
) -> bool:
    """Publish the output of an attempt, add the jobs that follow, and record that it is done.

    Call it inside `WorkerContext.changing`. If it returns False or raises, nothing was published.

    :param files: those of the output, and the master playlist if it names any renditions.
    :param named: the renditions that it names.
    :param seconds: that the step took.
    :return: whether the job was still held and its video still live.
    :raises MasterOutdated: it should name others.
    :raises StoreUnavailable: an object has been given up meanwhile.
    """
    video = session.get(Video, claim.video_id, with_for_update=True)
    if video is None or not is_live_video(video):
        return _was_published(session, claim)
    if not finish(session, claim=claim, seconds=seconds):
        return _was_published(session, claim)
    for rendition in output.renditions:
        values = asdict(rendition) | {"kind": RenditionKind(rendition.kind)}
        session.merge(Rendition(video_id=claim.video_id, **values))
    session.flush()
    if output.renditions and plan_master(session, video_id=claim.video_id) != list(named):
        raise MasterOutdated
    names = list(files.paths)
    if POSTER in output.thumbnails and video.poster_version:
        names.remove(POSTER)  # somebody has chosen another
        if files.written is not None:
            objects.give_up(session, object_id=files.written[POSTER].id)
    files.publish(session, names)
    if output.poster:
        video.poster_version += 1
        # Whoever chooses anew meanwhile takes the job away from this attempt.
        session.execute(delete(PosterChoice).where(PosterChoice.video_id == claim.video_id))
    if output.info is not None:
        _fill_in(video, output.info)
    query = select(Job.kind, Job.height).where(Job.video_id == claim.video_id)
    existing = {(kind, height) for kind, height in session.execute(query)}
    for kind, height in output.steps:
        if (kind, height) not in existing:
            session.add(Job(video_id=claim.video_id, kind=kind, height=height))
    session.flush()
    refresh(session, video_id=claim.video_id)
    return True


@transaction(writes=False)
def chosen_poster(session: Session, *, video_id: str) -> ChosenPoster | None:
    """Return the poster that somebody has chosen for a video, if it is not made yet."""
    choice = session.get(PosterChoice, video_id)
    return None if choice is None else ChosenPoster(choice.at_ms, choice.image)


@transaction(writes=True)
def reject(session: Session, *, claim: Claim, reason: str) -> bool:
    """Record that a video cannot be played, and why; tell whether the job was still held.

    Call it inside `VideoCache.changing`.
    """
    video = session.get(Video, claim.video_id, with_for_update=True)
    if video is None or not fail(session, claim=claim, error=reason, final=True):
        return False
    video.rejection_reason = reason[:REJECTION_LIMIT]
    return True


@transaction(writes=False)
def plan_master(
    session: Session,
    *,
    video_id: str,
    done: Claim | None = None,
    made: Sequence[RenditionInfo] = (),
) -> list[RenditionInfo]:
    """Return the renditions that the master playlist names, or none if there is to be none.

    While the audio is being made there is none: the video would play without it.

    :param done: a job that counts as done.
    :param made: renditions that count as published.
    """
    audio = select(Job.id).where(
        Job.video_id == video_id, Job.kind == JobKind.AUDIO, Job.state != JobState.DONE
    )
    if done is not None:
        audio = audio.where(Job.id != done.job_id)
    if session.scalar(audio) is not None:
        return []
    rows = session.scalars(select(Rendition).where(Rendition.video_id == video_id))
    named = {row.name: RenditionInfo.of(row) for row in rows} | {one.name: one for one in made}
    if not any(rendition.kind == "video" for rendition in named.values()):
        return []
    return [named[name] for name in sorted(named)]


@transaction(writes=True)
def publish_master(
    session: Session,
    *,
    storage: AttemptStore,
    video_id: str,
    named: Sequence[RenditionInfo],
    text: str,
    written: WrittenObject | None,
) -> bool:
    """Publish the master playlist of a video that has lost it; tell whether it had.

    Call it inside `WorkerContext.changing`.

    :param named: the renditions that it names.
    :param written: its object, or None: it is published on the disk.
    """
    if session.get(Video, video_id, with_for_update=True) is None:
        return False
    stored = objects.current_objects(session, video_id=video_id)
    if MASTER in stored or storage.has_published(video_id, MASTER):
        return False
    if plan_master(session, video_id=video_id) != list(named):
        return False
    if written is None:
        storage.publish_text(text, video_id, MASTER)
        return True
    return objects.make_current(
        session, object_id=written.id, size=written.size, sha256=written.sha256
    )


@transaction(writes=False)
def videos_to_look_at(session: Session) -> list[str]:
    """Return the live videos whose master playlist should be on the disk: it is no object."""
    master = exists().where(
        StoredObject.video_id == Rendition.video_id,
        StoredObject.name == MASTER,
        StoredObject.is_current.is_(True),
    )
    query = (
        select(Rendition.video_id)
        .join(Video, Video.id == Rendition.video_id)
        .where(Rendition.kind == RenditionKind.VIDEO, is_live(), ~master)
        .distinct()
    )
    return list(session.scalars(query))


def _fill_in(video: Video, info: SourceInfo) -> None:
    """Record measurements that the upload service left open, as it does for Matroska."""
    video.duration_ms = video.duration_ms or info.duration_ms
    if not (video.width and video.height):
        video.width, video.height = info.video.width, info.video.height
    if not video.video_codec:
        video.video_codec = info.video.codec
        video.audio_codec = info.audio[0].codec if info.audio else None


def _was_published(session: Session, claim: Claim) -> bool:
    """Tell whether this very attempt was published by a commit whose answer was lost."""
    job = session.get(Job, claim.job_id)
    return job is not None and job.state is JobState.DONE and job.fence == claim.fence
