"""Room that is given back when the disk is full."""

import shutil
from pathlib import Path

import pytest

from standalone.reserve import ENOUGH, LOW, SIZE, keep_reserve


class Disk:
    """A disk that has as much room as a test says."""

    free = ENOUGH + 1


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: made)
    return made


def test_room_is_taken_once(tmp_path: Path, disk: Disk) -> None:
    keep_reserve(tmp_path / "reserve")
    first = (tmp_path / "reserve").stat()
    keep_reserve(tmp_path / "reserve")

    assert first.st_size == SIZE
    assert first.st_blocks * 512 >= SIZE
    assert (tmp_path / "reserve").stat() == first


def test_room_is_given_back_when_none_is_left_and_taken_when_there_is(
    tmp_path: Path, disk: Disk
) -> None:
    file = tmp_path / "reserve"
    keep_reserve(file)

    disk.free = LOW
    keep_reserve(file)
    assert file.exists()

    disk.free = LOW - 1
    keep_reserve(file)
    assert not file.exists()

    disk.free = ENOUGH
    keep_reserve(file)
    assert not file.exists()

    disk.free = ENOUGH + 1
    keep_reserve(file)
    assert file.exists()


def test_a_folder_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    keep_reserve(tmp_path / "nowhere" / "reserve")
