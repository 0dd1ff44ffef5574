"""Publishing: what an attempt made becomes part of its video, once.

Each function is one transaction, which locks the video: nobody removes it meanwhile, and the
master playlist is written by one at a time. A crash leaves files without a row, which the next
attempt replaces; a transaction that is run again finds its files in their places.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from common.storage import MediaStorage
from db.models import REJECTION_LIMIT, Job, JobKind, JobState, Rendition, RenditionKind, Video
from transcode_service.estimates import predict, refresh
from transcode_service.jobs import Claim, fail, finish
from transcode_service.media import MadeRendition, SourceFacts, write_master
from transcode_service.media.playlists import RenditionRow

MASTER = "hls/master.m3u8"


def publish(
    session: Session,
    *,
    storage: MediaStorage,
    claim: Claim,
    folder: Path,
    seconds: float,
    pictures: Sequence[str] = (),
    renditions: Sequence[MadeRendition] = (),
) -> bool:
    """Publish what an attempt made, and note that its step is done.

    :param folder: the attempt's, in which the files lie, synced.
    :param pictures: names of files that lie beside the original.
    :return: whether the job was still held and its video is still somebody's; if not, nothing was
        published.
    """
    if not _begin(session, claim, seconds=seconds):
        return _was_done(session, claim)
    for name in pictures:
        storage.publish_file(folder / name, claim.video_id, name)
    for made in renditions:
        for name in made.files:
            storage.publish_file(folder / name, claim.video_id, f"hls/{name}")
        session.merge(_row(claim.video_id, made))
    session.flush()
    if renditions:
        rewrite_master(session, storage=storage, video_id=claim.video_id)
    refresh(session, video_id=claim.video_id)
    return True


def plan(
    session: Session,
    *,
    claim: Claim,
    steps: Sequence[tuple[JobKind, int]],
    seconds: float,
    facts: SourceFacts | None = None,
) -> bool:
    """Note that the check is done, and what there is to do next.

    :param steps: kinds, with the heights of rungs.
    :param facts: as measured; recorded where the upload service left the video's properties open.
    :return: whether the job was still held.
    """
    if not _begin(session, claim, seconds=seconds):
        return _was_done(session, claim)
    video = session.get_one(Video, claim.video_id)
    if facts is not None:
        _record_properties(video, facts)
    known = select(Job.kind, Job.height).where(Job.video_id == claim.video_id)
    there = {(kind, height) for kind, height in session.execute(known)}
    for kind, height in steps:
        if (kind, height) not in there:
            job = Job(video_id=claim.video_id, kind=kind, height=height)
            job.estimate = predict(session, job=job, video=video)
            session.add(job)
    return True


def _record_properties(video: Video, facts: SourceFacts) -> None:
    if video.duration_ms is None:
        video.duration_ms = facts.duration_ms
    if video.width is None or video.height is None:
        video.width, video.height = facts.video.width, facts.video.height
    if video.video_codec is None:
        video.video_codec = facts.video.codec
        video.audio_codec = facts.audio[0].codec if facts.audio else None


def refuse(session: Session, *, claim: Claim, sentence: str) -> bool:
    """Note that a video cannot be played, and why; tell whether the job was still held.

    To be called while the cache of videos is told of a change.
    """
    video = session.get(Video, claim.video_id, with_for_update=True)
    if video is None or not fail(session, claim=claim, error=sentence, final=True):
        return False
    video.rejection_reason = sentence[:REJECTION_LIMIT]
    return True


def rewrite_master(session: Session, *, storage: MediaStorage, video_id: str) -> None:
    """Write the master playlist from the rows, if there is anything to see in it.

    While a sound is being made there is none, since pictures would play without it.
    """
    if session.scalar(_unfinished_sound(video_id)):
        return
    wanted = select(Rendition).where(Rendition.video_id == video_id).order_by(Rendition.name)
    renditions = session.scalars(wanted).all()
    if any(rendition.kind is RenditionKind.VIDEO for rendition in renditions):
        rows = cast("Sequence[RenditionRow]", renditions)  # mypy does not see through Mapped
        text = write_master(rows, hls=storage.hls_folder(video_id))
        storage.publish_text(text, video_id, MASTER)


def restore_master(session: Session, *, storage: MediaStorage, video_id: str) -> bool:
    """Write the master playlist of a video that has lost it; tell whether it had."""
    if session.get(Video, video_id, with_for_update=True) is None:
        return False
    if storage.has_published(video_id, MASTER):
        return False
    rewrite_master(session, storage=storage, video_id=video_id)
    return True


def _unfinished_sound(video_id: str) -> Select[int]:
    return select(Job.id).where(
        Job.video_id == video_id, Job.kind == JobKind.AUDIO, Job.state != JobState.DONE
    )


def _begin(session: Session, claim: Claim, *, seconds: float) -> bool:
    video = session.get(Video, claim.video_id, with_for_update=True)
    if video is None or video.deleted_at is not None or video.owner_id is None:
        return False
    return finish(session, claim=claim, seconds=seconds)


def _was_done(session: Session, claim: Claim) -> bool:
    """Tell whether this very attempt was published by a commit whose answer was lost."""
    job = session.get(Job, claim.job_id)
    return job is not None and job.state is JobState.DONE and job.fence == claim.fence


def _row(video_id: str, made: MadeRendition) -> Rendition:
    return Rendition(
        video_id=video_id,
        name=made.name,
        kind=RenditionKind(made.kind),
        codecs=made.codecs,
        bandwidth=made.bandwidth,
        average_bandwidth=made.average_bandwidth,
        size=made.size,
        width=made.width,
        height=made.height,
        frame_rate=made.frame_rate,
        language=made.language,
        title=made.title,
    )
