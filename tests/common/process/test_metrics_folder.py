"""The folder of a run's counters."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common.process.metrics_folder import make_metrics_folder
from tests.conftest import ROOT

PROGRAM = """
import sys
from pathlib import Path
from common.process.metrics_folder import make_metrics_folder
print(make_metrics_folder(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def test_a_run_removes_what_a_killed_one_has_left_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "another").mkdir()
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        lefts = Path(first.stdout.readline().strip())
        second = make_metrics_folder(tmp_path)
        assert lefts.is_dir()
        first.kill()
    third = make_metrics_folder(tmp_path)

    assert set(tmp_path.iterdir()) == {second, third, tmp_path / "another"}


def test_services_that_start_at_once_each_get_a_folder(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as starts:
        folders = list(starts.map(make_metrics_folder, [tmp_path] * 300))

    assert len(set(folders)) == 300
    assert set(tmp_path.iterdir()) == set(folders)
