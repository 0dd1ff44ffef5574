"""The log, which is rotated while Matinee runs."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from standalone.logfile import copy_lines
from tests.conftest import ROOT


def test_lines_are_copied(tmp_path: Path) -> None:
    copy_lines(io.BytesIO(b"one\ntwo\n\xff\nlast"), tmp_path / "log")

    assert (tmp_path / "log").read_text("utf-8") == "one\ntwo\n\ufffd\nlast\n"


def test_files_are_rotated_and_bounded(tmp_path: Path) -> None:
    lines = b"".join(b"%09d\n" % number for number in range(1000))

    copy_lines(io.BytesIO(lines), tmp_path / "log", limit=1000, kept=2)

    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["log", "log.1", "log.2"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert (tmp_path / "log").read_text().endswith("000000999\n")


def test_a_line_without_an_end_takes_no_more_memory(tmp_path: Path) -> None:
    copy_lines(io.BytesIO(b"x" * 200_000), tmp_path / "log")

    assert [len(line) for line in (tmp_path / "log").read_text().splitlines()] == [
        65536,
        65536,
        65536,
        200_000 - 3 * 65536,
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_disk_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to("/dev/full")
    source = io.BytesIO(b"lost\n" * 10_000)

    copy_lines(source, tmp_path / "log")

    assert source.read() == b""


def test_a_log_that_cannot_be_opened_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    source = io.BytesIO(b"lost\n" * 100)

    copy_lines(source, tmp_path / "nowhere" / "log")

    assert source.read() == b""


def test_the_program_ends_with_the_pipe_and_not_before(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "standalone.logfile", str(tmp_path / "log")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(b"one\n")
    process.stdin.flush()
    while not (tmp_path / "log").exists():
        assert process.poll() is None
    process.terminate()
    process.stdin.write(b"two\n")
    process.stdin.close()

    assert process.wait(10) == 0
    assert (tmp_path / "log").read_text() == "one\ntwo\n"
