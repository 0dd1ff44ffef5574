"""The steps: what a kind of job does with the original, by the functions of `media`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.storage import MediaStorage
from db.models import JobKind
from transcode_service import media
from transcode_service.media import MadeRendition, MediaLimits, Report, SourceFacts

FACTS = "facts.json"


@dataclass(frozen=True)
class Made:
    """What a step made: names of files in its attempt's folder, or the steps that come next.

    :ivar facts: of the source, from the check.
    """

    pictures: tuple[str, ...] = ()
    renditions: tuple[MadeRendition, ...] = ()
    steps: tuple[tuple[JobKind, int], ...] = ()
    facts: SourceFacts | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Every file to be published."""
        return self.pictures + tuple(name for made in self.renditions for name in made.files)


@dataclass(frozen=True)
class Step:
    """One attempt at one step of one video.

    :ivar folder: the attempt's own, to write into.
    """

    storage: MediaStorage
    video_id: str
    height: int
    folder: Path
    limits: MediaLimits
    report: Report

    @property
    def source(self) -> Path:
        """The original."""
        return self.storage.original(self.video_id).path


def perform(kind: JobKind, step: Step) -> Made:
    """Carry out a step.

    :raises media.Refused: the video can never be played.
    :raises media.MediaFailed: the step did not succeed.
    :raises FileNotFoundError: the original is not there.
    """
    return _STEPS[kind](step)


def _check(step: Step) -> Made:
    facts = media.measure(step.source, step.limits, report=lambda done: step.report(done / 2))
    media.check(
        step.source,
        facts=facts,
        limits=step.limits,
        report=lambda done: step.report((1 + done) / 2),
    )
    # Measuring reads the whole file, so it is done once for all steps.
    step.storage.publish_text(json.dumps(facts.to_json()), step.video_id, FACTS)
    plan = media.plan(facts)
    steps = [(JobKind.THUMBNAILS, 0)]
    if plan.copy:
        steps.append((JobKind.REMUX, 0))
    if plan.audio:
        steps.append((JobKind.AUDIO, 0))
    steps += [(JobKind.RENDITION, height) for height in plan.heights]
    return Made(steps=tuple(steps), facts=facts)


def _pictures(step: Step) -> Made:
    made = media.draw_pictures(
        step.source, step.folder, facts=_facts(step), limits=step.limits, report=step.report
    )
    return Made(pictures=made.files)


def _copy(step: Step) -> Made:
    made = media.copy_video(
        step.source, step.folder, facts=_facts(step), limits=step.limits, report=step.report
    )
    return Made(renditions=(made,))


def _audio(step: Step) -> Made:
    made = media.make_audio(
        step.source, step.folder, facts=_facts(step), limits=step.limits, report=step.report
    )
    return Made(renditions=tuple(made))


def _rung(step: Step) -> Made:
    made = media.encode_rung(
        step.source,
        step.folder,
        height=step.height,
        facts=_facts(step),
        limits=step.limits,
        report=step.report,
    )
    return Made(renditions=(made,))


_STEPS: dict[JobKind, Callable[[Step], Made]] = {
    JobKind.CHECK: _check,
    JobKind.THUMBNAILS: _pictures,
    JobKind.REMUX: _copy,
    JobKind.AUDIO: _audio,
    JobKind.RENDITION: _rung,
}


def _facts(step: Step) -> SourceFacts:
    try:
        return SourceFacts.from_json(json.loads(step.storage.published_text(step.video_id, FACTS)))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # Another version of Matinee wrote it, or somebody removed it.
        return media.measure(step.source, step.limits, report=lambda done: step.report(0.0))
