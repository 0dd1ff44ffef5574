"""Matroska files of which a part is missing: uploads accept them, the check does not."""

from pathlib import Path

import pytest

from tests.transcode_service.media.conftest import Sources
from transcode_service.media.probe import measure
from transcode_service.media.source_info import SandboxLimits, UnplayableSource

pytestmark = pytest.mark.needs_ffmpeg


@pytest.mark.parametrize("name", ["sound.mkv", "vp9.webm", "live.webm", "hevc.mkv"])
@pytest.mark.parametrize("share", [0.001, 0.01])
def test_a_matroska_file_of_which_little_is_left_is_rejected(
    source: Sources, tmp_path: Path, limits: SandboxLimits, name: str, share: float
) -> None:
    whole = source(name).read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UnplayableSource, match=r"cut short|damaged|decoded|no video|no pictures"):
        measure(path, limits)


def test_a_matroska_file_cut_in_half_is_rejected(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    whole = source("sound.mkv").read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnplayableSource, match="damaged"):
        measure(path, limits)
