"""Make posters, and the storyboard: the thumbnails that the player shows along its timeline."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from common.translation import gettext_noop
from common.webvtt import webvtt_time
from transcode_service.media.sandbox import run_probe
from transcode_service.media.source_info import (
    MediaFailed,
    Report,
    SandboxLimits,
    SourceInfo,
    UnplayableSource,
)
from transcode_service.media.tone_mapping import write_cube

POSTER, SPRITE, STORYBOARD = "poster.jpg", "storyboard.jpg", "storyboard.vtt"
COLUMNS = 10  # thumbnails in a row of the sprite


def make_thumbnails(
    source: Path, folder: Path, *, info: SourceInfo, limits: SandboxLimits, report: Report
) -> tuple[str, ...]:
    """Make poster.jpg (at most 1280 pixels a side), storyboard.jpg (100 thumbnails), and its .vtt.

    :return: the names of the files.
    """
    if info.video.hdr:
        write_cube(folder, info.video.hdr)
    work = {"do": "draw", "video": asdict(info.video), "duration_ms": info.duration_ms}
    drawn = run_probe(work, source, folder=folder, limits=limits, report=report)
    cues = _cues(drawn["times"], drawn["width"], drawn["height"], info.duration_ms)
    (folder / STORYBOARD).write_text("\n".join(["WEBVTT", "", *cues]), encoding="ascii")
    return POSTER, SPRITE, STORYBOARD


def make_poster_at(
    source: Path,
    folder: Path,
    *,
    info: SourceInfo,
    at_ms: int,
    limits: SandboxLimits,
    report: Report,
) -> str:
    """Make poster.jpg, at most 1280 pixels a side, of the frame at a moment; return its name.

    :param at_ms: milliseconds from the start; later than the end is the last frame.
    """
    if info.video.hdr:
        write_cube(folder, info.video.hdr)
    work = {"do": "poster", "video": asdict(info.video), "at_ms": at_ms}
    try:
        run_probe(work, source, folder=folder, limits=limits, report=report)
    except UnplayableSource as error:  # whether it can be played is for the check to say
        raise MediaFailed(error.sentence, is_final=True) from error
    return POSTER


def make_poster_of(image: Path, folder: Path, *, limits: SandboxLimits, report: Report) -> str:
    """Make poster.jpg, at most 1280 pixels a side, of a PNG, JPEG or WebP image."""
    try:
        run_probe({"do": "picture"}, image, folder=folder, limits=limits, report=report)
    except (UnplayableSource, MediaFailed) as error:
        sentence = gettext_noop("This image cannot be used as a poster. Choose another one.")
        raise MediaFailed(sentence, str(error), is_final=True) from error
    return POSTER


def _cues(times: Sequence[float], width: int, height: int, duration_ms: int) -> Iterator[str]:
    """Yield a cue for each thumbnail (WebVTT; Media Fragments 1.0, 4.2.2), the first from zero."""
    begins = [0, *(round(time * 1000) for time in times[1:])]
    for number, begin in enumerate(begins):
        end = begins[number + 1] if number + 1 < len(begins) else max(duration_ms, begin + 1)
        row, column = divmod(number, COLUMNS)
        yield f"{webvtt_time(begin)} --> {webvtt_time(end)}"
        yield f"{SPRITE}#xywh={column * width},{row * height},{width},{height}"
        yield ""
