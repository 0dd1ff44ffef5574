"""The programs that standalone starts."""

import os
import stat
from pathlib import Path

import pytest

from common.settings import Environment
from standalone.programs import front_server, socket_folder
from standalone.settings import StandaloneSettings


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


@pytest.mark.parametrize(("given", "used"), [(None, "400"), ("50", "50")])
def test_caddy_collects_garbage_rarely_unless_the_operator_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, used: str
) -> None:
    monkeypatch.delenv("GOGC", raising=False)
    if given:
        monkeypatch.setenv("GOGC", given)
    settings = StandaloneSettings.read(Environment({"DATA_DIR": str(tmp_path)}))
    sockets = {name: tmp_path / f"{name}.sock" for name in ("auth", "upload", "streaming")}
    folders = {"STATIC_DIR": str(tmp_path), "VIDEOS_DIR": str(tmp_path)}

    program = front_server(settings, sockets, folders, output=1)

    assert program.environ is not None
    assert program.environ["GOGC"] == used
