"""The steps: what a kind of job does with the original, by the functions of `media`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.storage import AttemptStore
from db.models import JobKind
from transcode_service import media
from transcode_service.media import RenditionInfo, Report, SandboxLimits, SourceInfo

SOURCE_INFO = "facts.json"


@dataclass(frozen=True)
class StepOutput:
    """The output of a step: files in its attempt's folder, or the steps that come next.

    :ivar thumbnails: names of files that are published beside the original.
    :ivar steps: kinds, with the heights of renditions.
    :ivar info: what the check measured.
    """

    thumbnails: tuple[str, ...] = ()
    renditions: tuple[RenditionInfo, ...] = ()
    steps: tuple[tuple[JobKind, int], ...] = ()
    info: SourceInfo | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Every file to be published."""
        return self.thumbnails + tuple(name for made in self.renditions for name in made.files)


@dataclass(frozen=True)
class JobRun:
    """One attempt at one step of one video.

    :ivar folder: the attempt's own, to write into.
    """

    storage: AttemptStore
    video_id: str
    height: int
    folder: Path
    limits: SandboxLimits
    report: Report

    @property
    def source(self) -> Path:
        """The original."""
        return self.storage.original(self.video_id).path


def run_step(kind: JobKind, run: JobRun) -> StepOutput:
    """Carry out a step.

    :raises media.UnplayableSource: the video can never be played.
    :raises media.MediaFailed: the step did not succeed.
    :raises FileNotFoundError: the original is not there.
    """
    return _STEPS[kind](run)


def _check(run: JobRun) -> StepOutput:
    info = media.measure(run.source, run.limits, report=lambda done: run.report(done / 2))
    media.check(
        run.source, info=info, limits=run.limits, report=lambda done: run.report((1 + done) / 2)
    )
    # Measuring reads the whole file, so it is done once for all steps.
    run.storage.publish_text(json.dumps(info.to_json()), run.video_id, SOURCE_INFO)
    plan = media.plan(info)
    steps = [(JobKind.THUMBNAILS, 0)]
    if plan.copy:
        steps.append((JobKind.REMUX, 0))
    if plan.audio:
        steps.append((JobKind.AUDIO, 0))
    steps += [(JobKind.RENDITION, height) for height in plan.heights]
    return StepOutput(steps=tuple(steps), info=info)


def _thumbnails(run: JobRun) -> StepOutput:
    names = media.make_thumbnails(
        run.source, run.folder, info=_source_info(run), limits=run.limits, report=run.report
    )
    return StepOutput(thumbnails=names)


def _remux(run: JobRun) -> StepOutput:
    rendition = media.remux_video(
        run.source, run.folder, info=_source_info(run), limits=run.limits, report=run.report
    )
    return StepOutput(renditions=(rendition,))


def _audio(run: JobRun) -> StepOutput:
    renditions = media.make_audio(
        run.source, run.folder, info=_source_info(run), limits=run.limits, report=run.report
    )
    return StepOutput(renditions=renditions)


def _encode(run: JobRun) -> StepOutput:
    rendition = media.encode_rendition(
        run.source,
        run.folder,
        height=run.height,
        info=_source_info(run),
        limits=run.limits,
        report=run.report,
    )
    return StepOutput(renditions=(rendition,))


_STEPS: dict[JobKind, Callable[[JobRun], StepOutput]] = {
    JobKind.CHECK: _check,
    JobKind.THUMBNAILS: _thumbnails,
    JobKind.REMUX: _remux,
    JobKind.AUDIO: _audio,
    JobKind.RENDITION: _encode,
}


def _source_info(run: JobRun) -> SourceInfo:
    """Return what the check measured; measure again when another version wrote it."""
    try:
        return SourceInfo.from_json(
            json.loads(run.storage.published_text(run.video_id, SOURCE_INFO))
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return media.measure(run.source, run.limits, report=lambda done: run.report(0.0))
