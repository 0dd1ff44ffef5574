"""Publishing: the output of an attempt becomes part of its video, once.

Each function is one transaction that locks the video: nobody removes it meanwhile, and only one
worker at a time writes the master playlist. A crash leaves files without a row, which the next
attempt replaces. A transaction that is run again finds its files already in place.
"""

from dataclasses import asdict
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from common.live import is_live, is_live_video
from common.storage import AttemptStore
from db.engine import transaction
from db.models import (
    REJECTION_LIMIT,
    Job,
    JobKind,
    JobState,
    PosterChoice,
    Rendition,
    RenditionKind,
    Video,
)
from transcode_service.estimates import refresh
from transcode_service.jobs import Claim, fail, finish
from transcode_service.media.playlists import write_master
from transcode_service.media.source_info import RenditionInfo, SourceInfo
from transcode_service.media.storyboard import POSTER
from transcode_service.steps import ChosenPoster, StepOutput

MASTER = "hls/master.m3u8"


@transaction(writes=True)
def publish(
    session: Session,
    *,
    storage: AttemptStore,
    claim: Claim,
    folder: Path,
    output: StepOutput,
    seconds: float,
) -> bool:
    """Publish the output of an attempt, add the jobs that follow, and record that it is done.

    :param folder: the attempt's, with the files, which are synced.
    :param seconds: that the step took.
    :return: whether the job was still held and its video still live; if not, nothing was published.
    """
    video = session.get(Video, claim.video_id, with_for_update=True)
    if video is None or not is_live_video(video):
        return _was_published(session, claim)
    if not finish(session, claim=claim, seconds=seconds):
        return _was_published(session, claim)
    for name in output.thumbnails:
        if name == POSTER and video.poster_version:
            continue  # somebody has chosen another
        storage.publish_file(folder / name, claim.video_id, name)
    if output.poster:
        storage.publish_file(folder / output.poster, claim.video_id, POSTER)
        video.poster_version += 1
        # Whoever chooses anew meanwhile takes the job away from this attempt.
        session.execute(delete(PosterChoice).where(PosterChoice.video_id == claim.video_id))
    for rendition in output.renditions:
        for name in rendition.files:
            storage.publish_file(folder / name, claim.video_id, f"hls/{name}")
        values = asdict(rendition) | {"kind": RenditionKind(rendition.kind)}
        session.merge(Rendition(video_id=claim.video_id, **values))
    if output.info is not None:
        _fill_in(video, output.info)
    query = select(Job.kind, Job.height).where(Job.video_id == claim.video_id)
    existing = {(kind, height) for kind, height in session.execute(query)}
    for kind, height in output.steps:
        if (kind, height) not in existing:
            session.add(Job(video_id=claim.video_id, kind=kind, height=height))
    session.flush()
    if output.renditions:
        rewrite_master(session, storage=storage, video_id=claim.video_id)
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


def rewrite_master(session: Session, *, storage: AttemptStore, video_id: str) -> None:
    """Write the master playlist from the rows, unless it would have no video.

    While the audio is being made there is no master playlist: the video would play without it.
    """
    audio = select(Job.id).where(Job.video_id == video_id, Job.kind == JobKind.AUDIO)
    if session.scalar(audio.where(Job.state != JobState.DONE)):
        return
    query = select(Rendition).where(Rendition.video_id == video_id).order_by(Rendition.name)
    renditions = [RenditionInfo.of(row) for row in session.scalars(query)]
    if any(rendition.kind == "video" for rendition in renditions):
        text = write_master(renditions, hls=storage.hls_folder(video_id))
        storage.publish_text(text, video_id, MASTER)


@transaction(writes=True)
def restore_master(session: Session, *, storage: AttemptStore, video_id: str) -> bool:
    """Write the master playlist of a video that has lost it; tell whether it had."""
    if session.get(Video, video_id, with_for_update=True) is None:
        return False
    if storage.has_published(video_id, MASTER):
        return False
    rewrite_master(session, storage=storage, video_id=video_id)
    return True


@transaction(writes=False)
def videos_with_renditions(session: Session) -> list[str]:
    """Return the ids of live videos that have a video rendition, so a master playlist too."""
    query = (
        select(Rendition.video_id)
        .join(Video, Video.id == Rendition.video_id)
        .where(Rendition.kind == RenditionKind.VIDEO, is_live())
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
