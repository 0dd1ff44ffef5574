"""Make the poster and the storyboard: the thumbnails that the player shows along its timeline."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from common.webvtt import webvtt_time
from transcode_service.media.sandbox import run_probe
from transcode_service.media.source_info import Report, SandboxLimits, SourceInfo
from transcode_service.media.tone_mapping import write_cube

POSTER, SPRITE, STORYBOARD = "poster.jpg", "storyboard.jpg", "storyboard.vtt"
COLUMNS = 10
"""Thumbnails in a row of the sprite."""


def make_thumbnails(
    source: Path, folder: Path, *, info: SourceInfo, limits: SandboxLimits, report: Report
) -> tuple[str, ...]:
    """Make poster.jpg (at most 1280 pixels a side), storyboard.jpg (100 thumbnails) and its .vtt.

    :return: the names of the files.
    :raises MediaFailed: no frame could be decoded.
    :raises DiskFull: there was no space for them.
    """
    if info.video.hdr:
        write_cube(folder, info.video.hdr)
    work = {
        "do": "draw",
        "max_pixels": limits.max_pixels,
        "video": asdict(info.video),
        "duration_ms": info.duration_ms,
    }
    drawn = run_probe(work, source, folder=folder, limits=limits, report=report)
    cues = _cues(drawn["times"], drawn["width"], drawn["height"], info.duration_ms)
    (folder / STORYBOARD).write_text("\n".join(["WEBVTT", "", *cues]), encoding="ascii")
    return POSTER, SPRITE, STORYBOARD


def _cues(times: Sequence[float], width: int, height: int, duration_ms: int) -> Iterator[str]:
    """Yield a cue for each thumbnail (WebVTT; Media Fragments 1.0, 4.2.2), the first from zero."""
    begins = [0, *(round(time * 1000) for time in times[1:])]
    for number, begin in enumerate(begins):
        end = begins[number + 1] if number + 1 < len(begins) else max(duration_ms, begin + 1)
        row, column = divmod(number, COLUMNS)
        yield f"{webvtt_time(begin)} --> {webvtt_time(end)}"
        yield f"{SPRITE}#xywh={column * width},{row * height},{width},{height}"
        yield ""
