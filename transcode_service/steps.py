"""The steps: what a kind of job does with the original, by the functions of `media`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common.translation import gettext_noop
from db.models import JobKind
from transcode_service.media.ladder import plan
from transcode_service.media.probe import check, measure
from transcode_service.media.renditions import encode_rendition, make_audio, remux_video
from transcode_service.media.source_info import (
    MediaFailed,
    RenditionInfo,
    Report,
    SandboxLimits,
    SourceInfo,
)
from transcode_service.media.storyboard import (
    POSTER,
    make_poster_at,
    make_poster_of,
    make_thumbnails,
)
from transcode_service.published import FileElsewhere

SOURCE_INFO = "facts.json"


@dataclass(frozen=True)
class StepOutput:
    """The output of a step: files in its attempt's folder, or the steps that come next.

    :ivar thumbnails: names of files that are published beside the original.
    :ivar poster: the name of a poster that was chosen, published beside the original.
    :ivar steps: kinds, with the heights of renditions.
    :ivar info: what the check measured; the file :data:`SOURCE_INFO` has it too.
    """

    thumbnails: tuple[str, ...] = ()
    poster: str | None = None
    renditions: tuple[RenditionInfo, ...] = ()
    steps: tuple[tuple[JobKind, int], ...] = ()
    info: SourceInfo | None = None

    @property
    def files(self) -> Mapping[str, str]:
        """Every file to be published: its name in the attempt's folder, by its published name."""
        beside = [*self.thumbnails, *([SOURCE_INFO] if self.info else [])]
        files = {name: name for name in beside}
        if self.poster:
            files[POSTER] = self.poster
        made = (name for rendition in self.renditions for name in rendition.files)
        return files | {f"hls/{name}": name for name in made}


@dataclass(frozen=True)
class ChosenPoster:
    """The poster that somebody has chosen: a moment of the video, or an image.

    :ivar at_ms: milliseconds from the start.
    :ivar image: a file as it was uploaded. Exactly one of both is set.
    """

    at_ms: int | None
    image: bytes | None


@dataclass(frozen=True)
class JobRun:
    """One attempt at one step of one video.

    :ivar find_source: returns the original; the first call may take long.
    :ivar read: returns a published file of the video by its name.
    :ivar folder: the attempt's own, to write into.
    :ivar poster: what a step of kind `poster` makes one of.
    """

    find_source: Callable[[], Path]
    read: Callable[[str], bytes]
    height: int
    folder: Path
    limits: SandboxLimits
    report: Report
    poster: ChosenPoster | None = None

    @property
    def source(self) -> Path:
        """The original."""
        return self.find_source()


def run_step(kind: JobKind, run: JobRun) -> StepOutput:
    """Carry out a step.

    :raises UnplayableSource, MediaFailed: see `transcode_service.media`.
    :raises FileNotFoundError: the original is not there.
    :raises FileElsewhere: it may still come.
    :raises StoreUnavailable, StoreRefused: the object store cannot be used now.
    """
    if kind is JobKind.CHECK:
        return _check(run)
    if kind is JobKind.POSTER:
        return _poster(run)
    where = run.source, run.folder
    given: dict[str, Any] = {"info": _source_info(run), "limits": run.limits, "report": run.report}
    match kind:
        case JobKind.THUMBNAILS:
            return StepOutput(thumbnails=make_thumbnails(*where, **given))
        case JobKind.REMUX:
            return StepOutput(renditions=(remux_video(*where, **given),))
        case JobKind.AUDIO:
            return StepOutput(renditions=make_audio(*where, **given))
        case JobKind.RENDITION:
            return StepOutput(renditions=(encode_rendition(*where, **given, height=run.height),))
    raise AssertionError(kind)


def _check(run: JobRun) -> StepOutput:
    info = measure(run.source, run.limits, report=lambda done: run.report(done / 2))
    check(run.source, info=info, limits=run.limits, report=lambda done: run.report((1 + done) / 2))
    # Measuring reads the whole file, so it is done once for all steps.
    (run.folder / SOURCE_INFO).write_text(json.dumps(asdict(info)), encoding="utf-8")
    planned = plan(info)
    steps = [(JobKind.THUMBNAILS, 0)]
    if planned.copy:
        steps.append((JobKind.REMUX, 0))
    if info.audio:
        steps.append((JobKind.AUDIO, 0))
    steps += [(JobKind.RENDITION, height) for height in planned.heights]
    return StepOutput(steps=tuple(steps), info=info)


def _poster(run: JobRun) -> StepOutput:
    chosen = run.poster
    given: dict[str, Any] = {"limits": run.limits, "report": run.report}
    if chosen is not None and chosen.image is not None:
        image = run.folder / "uploaded"
        image.write_bytes(chosen.image)
        return StepOutput(poster=make_poster_of(image, run.folder, **given))
    if chosen is None or chosen.at_ms is None:
        # It could not be used, and somebody has queued the job again.
        raise MediaFailed(
            gettext_noop("This image cannot be used as a poster. Choose another one."),
            is_final=True,
        )
    info = _source_info(run)
    return StepOutput(
        poster=make_poster_at(run.source, run.folder, info=info, at_ms=chosen.at_ms, **given)
    )


def _source_info(run: JobRun) -> SourceInfo:
    """Return what the check measured; measure again when another version wrote it."""
    try:
        return SourceInfo.from_json(json.loads(run.read(SOURCE_INFO)))
    except (FileNotFoundError, FileElsewhere, ValueError, KeyError, TypeError):
        return measure(run.source, run.limits, report=lambda done: run.report(0.0))
