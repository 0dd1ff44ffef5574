"""Sources that are made once, and what the steps need."""

from pathlib import Path

import imageio_ffmpeg
import pytest

from tests.transcode_service.media import sources
from transcode_service.media.probe import measure
from transcode_service.media.source_info import SandboxLimits, SourceInfo


class Sources:
    """Makes sources on demand, once for all tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str) -> Path:
        """Return the path of a source."""
        return sources.make(self.folder, name)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return Sources(tmp_path_factory.mktemp("sources"))


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


def info_of(path: Path, limits: SandboxLimits) -> SourceInfo:
    return measure(path, limits)
