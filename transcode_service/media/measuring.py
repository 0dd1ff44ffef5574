"""Measure and check a source in a confined child."""

from pathlib import Path

from transcode_service.media.asking import ask
from transcode_service.media.facts import MediaLimits, Refused, Report, SourceFacts

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
    answer = ask(work, source, folder=source.parent, limits=limits, report=report)
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
    ask(work, source, folder=source.parent, limits=limits, report=report)
