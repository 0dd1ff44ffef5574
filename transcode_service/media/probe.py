"""Measure and check a source, in a confined child process."""

from pathlib import Path

from common.translation import gettext_noop
from transcode_service.media.sandbox import run_probe
from transcode_service.media.source_info import Report, SandboxLimits, SourceInfo, UnplayableSource

_MATROSKA_FORMATS = frozenset({"mkv", "webm"})


def measure(
    source: Path, limits: SandboxLimits, *, report: Report = lambda done: None
) -> SourceInfo:
    """Measure a file: all of its packets, and one decoded frame.

    Reads the whole file once; a video of 20 minutes takes about a second.
    """
    work = {"do": "measure", "max_seconds": limits.max_seconds}
    answer = run_probe(work, source, folder=source.parent, limits=limits, report=report)
    info = SourceInfo.from_json(answer["info"])
    if info.container == "matroska" and not limits.formats & _MATROSKA_FORMATS:
        raise UnplayableSource(
            gettext_noop("This is not an MP4 file. Convert it to MP4 and upload it again.")
        )
    video = info.video
    if video.coded_width * video.coded_height > limits.max_pixels:
        raise UnplayableSource(
            gettext_noop("The frames of this video have more pixels than can be processed.")
        )
    return info


def check(
    source: Path, *, info: SourceInfo, limits: SandboxLimits, report: Report = lambda done: None
) -> None:
    """Decode the start, the end and keyframes between, to find damage.

    Truncated files were found by :func:`measure`, which reads all packets.
    """
    work = {"do": "check", "index": info.video.index}
    run_probe(work, source, folder=source.parent, limits=limits, report=report)
