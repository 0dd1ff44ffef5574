"""Make the poster that somebody has chosen: a moment of the video, or an image of their own."""

from dataclasses import asdict
from pathlib import Path

from common.translation import gettext_noop
from transcode_service.media.sandbox import run_probe
from transcode_service.media.source_info import (
    MediaFailed,
    Report,
    SandboxLimits,
    SourceInfo,
    UnplayableSource,
)
from transcode_service.media.storyboard import POSTER
from transcode_service.media.tone_mapping import write_cube


def make_poster_at(
    source: Path,
    folder: Path,
    *,
    info: SourceInfo,
    at_ms: int,
    limits: SandboxLimits,
    report: Report,
) -> str:
    """Make poster.jpg, at most 1280 pixels a side, of the frame at a moment.

    :param at_ms: milliseconds from the start; later than the end is the last frame.
    :return: the name of the file.
    :raises MediaFailed: no frame could be decoded.
    """
    if info.video.hdr:
        write_cube(folder, info.video.hdr)
    work = {
        "do": "poster",
        "max_pixels": limits.max_pixels,
        "video": asdict(info.video),
        "at_ms": at_ms,
    }
    try:
        run_probe(work, source, folder=folder, limits=limits, report=report)
    except UnplayableSource as error:  # whether it can be played is for the check to say
        raise MediaFailed(error.sentence, is_final=True) from error
    return POSTER


def make_poster_of(image: Path, folder: Path, *, limits: SandboxLimits, report: Report) -> str:
    """Make poster.jpg, at most 1280 pixels a side, of a PNG, JPEG or WebP image.

    :return: the name of the file.
    :raises MediaFailed: it cannot be read, or has too many pixels.
    """
    work = {"do": "picture", "max_pixels": limits.max_pixels}
    try:
        run_probe(work, image, folder=folder, limits=limits, report=report)
    except (UnplayableSource, MediaFailed) as error:
        raise MediaFailed(
            gettext_noop("This image cannot be used as a poster. Choose another one."),
            str(error),
            is_final=True,
        ) from error
    return POSTER
