"""Ask the confined child something about a file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transcode_service.media.facts import DiskFull, MediaFailed, MediaLimits, Refused, Report
from transcode_service.media.sandbox import run_probe

_SECONDS = 60.0
_BYTES_PER_SECOND = 20 << 20  # that a slow disk reads, at least


def ask(
    work: Mapping[str, object],
    source: Path,
    *,
    folder: Path,
    limits: MediaLimits,
    report: Report,
) -> dict[str, Any]:
    """Return what :mod:`transcode_service.media.probe` answers.

    :param folder: where the child runs, and what it draws is left.
    :raises Refused: the file cannot be played.
    :raises MediaFailed: the child was killed or took too long.
    """
    wall = _SECONDS + source.stat().st_size / _BYTES_PER_SECOND
    ended = run_probe(
        json.dumps(work), source, folder=folder, wall=wall, limits=limits, report=report
    )
    if "Errno 28" in ended.errors or "Errno 122" in ended.errors:
        raise DiskFull(ended.errors)
    if ended.status:
        raise MediaFailed("This video could not be looked into.", ended.errors)
    answer: dict[str, Any] = json.loads(ended.output)
    if "refused" in answer:
        raise Refused(str(answer["refused"]))
    return answer
