"""Sources that are made once, and what the steps need."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import imageio_ffmpeg
import pytest

from tests.transcode_service.media import sources
from transcode_service.media.probe import measure
from transcode_service.media.source_info import SandboxLimits, SourceInfo

Sources = Callable[[str], Path]


@pytest.fixture(scope="session")
def source() -> Sources:
    """Makes sources on demand, once for all tests."""
    return sources.make


@pytest.fixture
def limits() -> SandboxLimits:
    return SandboxLimits(formats=frozenset({"mp4", "mkv", "webm"}))


@pytest.fixture(params=["system", "bundled"])
def either(request: pytest.FixtureRequest) -> SandboxLimits:
    """Limits with the machine's ffmpeg, and with the one that a bare machine gets."""
    return SandboxLimits(
        ffmpeg="" if request.param == "system" else imageio_ffmpeg.get_ffmpeg_exe()
    )


def quiet(_: float) -> None:
    """Take a report of progress."""


@cache
def measured(path: Path) -> SourceInfo:
    """Measure a source, which takes a child process, once for all tests."""
    return measure(path, SandboxLimits(formats=frozenset({"mp4", "mkv", "webm"})))
