"""The programs that standalone starts."""

import os
import stat
from pathlib import Path

from standalone.programs import socket_folder


def test_sockets_are_in_the_data_folder(tmp_path: Path) -> None:
    assert socket_folder(tmp_path) == tmp_path / "sockets"


def test_sockets_of_a_folder_with_a_long_path_are_in_a_closed_temporary_one(
    tmp_path: Path,
) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()

    folder = socket_folder(long)
    try:
        assert len(os.fsencode(folder / "streaming.sock")) < 100
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        folder.rmdir()
