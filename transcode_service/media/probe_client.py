"""Run the probe in a confined child process, and read its answer."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transcode_service.media.sandbox import run_probe
from transcode_service.media.source_info import (
    MediaFailed,
    Report,
    SandboxLimits,
    UnplayableSource,
)

_BASE_SECONDS = 60.0
_BYTES_PER_SECOND = 20 << 20  # that a slow disk reads, at least


def ask(
    work: Mapping[str, object],
    source: Path,
    *,
    folder: Path,
    limits: SandboxLimits,
    report: Report,
) -> dict[str, Any]:
    """Return the answer of :mod:`transcode_service.media.probe_child`.

    :param folder: where the child runs and writes.
    :raises UnplayableSource: the file cannot be played.
    :raises MediaFailed: the child was killed or took too long.
    """
    wall = _BASE_SECONDS + source.stat().st_size / _BYTES_PER_SECOND
    result = run_probe(
        json.dumps(work), source, folder=folder, wall=wall, limits=limits, report=report
    )
    if result.status:
        raise MediaFailed("This video could not be looked into.", result.errors)
    answer: dict[str, Any] = json.loads(result.output)
    if "unplayable" in answer:
        raise UnplayableSource(str(answer["unplayable"]))
    return answer
