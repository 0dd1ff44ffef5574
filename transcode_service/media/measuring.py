"""Measure and check a source in a confined child."""

import json
from collections.abc import Mapping
from pathlib import Path

from transcode_service.media.facts import (
    MediaFailed,
    MediaLimits,
    Refused,
    Report,
    SourceFacts,
)
from transcode_service.media.sandbox import run_probe

_PROBE_SECONDS = 60.0
_BYTES_PER_SECOND = 20 << 20  # that a slow disk reads, at least
_MATROSKA_FORMATS = frozenset({"mkv", "webm"})


def measure(
    source: Path, limits: MediaLimits, *, report: Report = lambda done: None
) -> SourceFacts:
    """Find out what a file holds, from its packets and a decoded picture.

    Reads the whole file once; a film of 20 minutes takes about a second.

    :raises Refused: it is not a film that can be played, with the reason.
    :raises MediaFailed: the child was killed or took too long.
    """
    work = {"do": "measure", "max_pixels": limits.max_pixels, "max_seconds": limits.max_seconds}
    answer = _ask(work, source, limits, report)
    facts = SourceFacts.from_json(answer["facts"])
    if facts.container == "matroska" and not limits.formats & _MATROSKA_FORMATS:
        raise Refused("This is not an MP4 file. Convert it to MP4 and upload it again.")
    video = facts.video
    if video.coded_width * video.coded_height > limits.max_pixels:
        raise Refused(f"This file has a picture of {video.width} by {video.height} points.")
    return facts


def check(
    source: Path, *, facts: SourceFacts, limits: MediaLimits, report: Report = lambda done: None
) -> None:
    """Decode the beginning, the end and keyframes between, and refuse a damaged film.

    What is cut short was refused by :func:`measure`, which walks all packets.

    :raises Refused: it does not decode.
    :raises MediaFailed: the child was killed or took too long.
    """
    work = {"do": "check", "max_pixels": limits.max_pixels, "index": facts.video.index}
    _ask(work, source, limits, report)


def _ask(
    work: Mapping[str, object], source: Path, limits: MediaLimits, report: Report
) -> dict[str, dict[str, object]]:
    wall = _PROBE_SECONDS + source.stat().st_size / _BYTES_PER_SECOND
    ended = run_probe(
        json.dumps(work), source, folder=source.parent, wall=wall, limits=limits, report=report
    )
    if ended.status:
        raise MediaFailed("This video could not be looked into.", ended.errors)
    answer: dict[str, dict[str, object]] = json.loads(ended.output)
    if "refused" in answer:
        raise Refused(str(answer["refused"]))
    return answer
