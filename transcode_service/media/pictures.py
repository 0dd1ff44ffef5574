"""Draw the poster and the storyboard, from keyframes only."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from transcode_service.media.asking import ask
from transcode_service.media.colours import write_cube
from transcode_service.media.drawing import COLUMNS
from transcode_service.media.facts import MediaLimits, Pictures, Report, SourceFacts

POSTER, SPRITE, STORYBOARD = "poster.jpg", "storyboard.jpg", "storyboard.vtt"


def draw_pictures(
    source: Path, folder: Path, *, facts: SourceFacts, limits: MediaLimits, report: Report
) -> Pictures:
    """Make poster.jpg (at most 1280 pixels a side) and storyboard.jpg (at most 100 tiles) with .vtt.

    :raises MediaFailed: no picture could be drawn.
    :raises DiskFull: there was no room for them.
    """
    if facts.video.hdr:
        write_cube(folder, facts.video.hdr)
    work = {
        "do": "draw",
        "max_pixels": limits.max_pixels,
        "video": asdict(facts.video),
        "duration_ms": facts.duration_ms,
    }
    drawn = ask(work, source, folder=folder, limits=limits, report=report)
    cues = _cues(drawn["times"], drawn["width"], drawn["height"], facts.duration_ms)
    (folder / STORYBOARD).write_text("\n".join(["WEBVTT", "", *cues]), encoding="ascii")
    return Pictures((POSTER, SPRITE, STORYBOARD))


def _cues(times: Sequence[float], width: int, height: int, duration_ms: int) -> Iterator[str]:
    """Yield a cue for each tile (WebVTT; Media Fragments 1.0, 4.2.2), the first from zero on."""
    begins = [0, *(round(time * 1000) for time in times[1:])]
    for number, begin in enumerate(begins):
        end = begins[number + 1] if number + 1 < len(begins) else max(duration_ms, begin + 1)
        row, column = divmod(number, COLUMNS)
        yield f"{_clock(begin)} --> {_clock(end)}"
        yield f"{SPRITE}#xywh={column * width},{row * height},{width},{height}"
        yield ""


def _clock(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}"
