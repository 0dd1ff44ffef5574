"""Programs that are kept running, and stopped together with what they started."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.process.supervisor import FIRST_DELAY, LONGEST_DELAY, STABLE_AFTER, Program, Supervisor
from tests.conftest import ROOT
from tests.waiting import wait_until

SLEEP = "import time; time.sleep(60)"
# A program with a child in its group, whose id it writes into the file that it is told.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(child.pid))
import os
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
"""


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time that was set."""
        return self.now


def python(code: str, *arguments: str) -> list[str]:
    """Return the command line of a small program."""
    return [sys.executable, "-ISc", code, *arguments]


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def pid_in(file: Path) -> int:
    """Wait for the process id that a program writes."""
    wait_until(file.exists, what="the program's child")
    return int(file.read_text())


def wait_for_end(program: Program) -> None:
    """Wait until the process has ended, as the next poll will notice."""
    assert program.process is not None
    program.process.wait(10)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ended() -> list[tuple[str, int]]:
    """What `on_exit` was told."""
    return []


@pytest.fixture
def supervisor(clock: Clock, ended: list[tuple[str, int]]) -> Iterator[Supervisor]:
    """A supervisor that is stopped after the test."""
    made = Supervisor(lambda program, status: ended.append((program.name, status)), clock=clock)
    yield made
    made.stop(grace=0)


def test_a_program_that_ended_is_reported_and_started_again(
    supervisor: Supervisor, clock: Clock, ended: list[tuple[str, int]]
) -> None:
    program = Program("one", python("raise SystemExit(3)"))
    supervisor.start(program)
    wait_for_end(program)

    supervisor.poll()
    assert ended == [("one", 3)]
    assert program.process is None

    clock.now += FIRST_DELAY
    supervisor.poll()
    assert program.process is not None


def test_the_delay_doubles_to_its_limit(supervisor: Supervisor, clock: Clock) -> None:
    program = Program("one", python(""))
    supervisor.start(program)
    delays = []
    for _ in range(9):
        wait_for_end(program)
        supervisor.poll()
        before = clock.now
        while program.process is None:
            clock.now += FIRST_DELAY / 2
            supervisor.poll()
        delays.append(clock.now - before)

    assert delays == [0.5, 1, 2, 4, 8, 16, LONGEST_DELAY, LONGEST_DELAY, LONGEST_DELAY]


def test_a_program_that_ran_for_long_begins_with_the_first_delay(
    supervisor: Supervisor, clock: Clock
) -> None:
    program = Program("one", python(""))
    supervisor.start(program)
    for _ in range(5):
        wait_for_end(program)
        supervisor.poll()
        clock.now += LONGEST_DELAY
        supervisor.poll()
    wait_for_end(program)
    clock.now += STABLE_AFTER

    supervisor.poll()
    clock.now += FIRST_DELAY
    supervisor.poll()

    assert program.process is not None


def test_what_a_killed_program_left_is_killed_before_it_starts_again(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    """Workers that a killed server leaves behind keep its port."""
    program = Program("one", python(PARENT, str(tmp_path / "child")))
    supervisor.start(program)
    child = pid_in(tmp_path / "child")
    assert program.process is not None
    program.process.kill()
    wait_for_end(program)

    supervisor.poll()

    wait_until(lambda: not is_alive(child), what="the end of the orphan")


def test_a_signal_is_reported_as_a_negative_status(
    supervisor: Supervisor, ended: list[tuple[str, int]]
) -> None:
    program = Program("one", python(SLEEP))
    supervisor.start(program)
    assert program.process is not None
    program.process.kill()
    wait_for_end(program)

    supervisor.poll()

    assert ended == [("one", -signal.SIGKILL)]


def test_stopping_asks_first(
    supervisor: Supervisor, tmp_path: Path, ended: list[tuple[str, int]]
) -> None:
    code = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(pathlib.Path(sys.argv[1], "end").write_text("")))
pathlib.Path(sys.argv[1], "begin").write_text("")
signal.pause()
"""
    program = Program("one", python(code, str(tmp_path)))
    supervisor.start(program)
    wait_until((tmp_path / "begin").exists)

    supervisor.stop(grace=10)

    assert (tmp_path / "end").exists()
    supervisor.poll()
    assert (program.process, ended) == (None, [])


def test_who_does_not_end_in_time_is_killed_with_its_group(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + PARENT
    program = Program("one", python(code, str(tmp_path / "child")))
    supervisor.start(program)
    child = pid_in(tmp_path / "child")

    supervisor.stop(grace=0.1)

    assert program.process is None
    wait_until(lambda: not is_alive(child), what="the end of the child")


def test_some_programs_can_be_stopped_before_others(supervisor: Supervisor) -> None:
    first, second = Program("one", python(SLEEP)), Program("two", python(SLEEP))
    supervisor.start(first)
    supervisor.start(second)

    supervisor.stop([first], grace=10)
    supervisor.poll()

    assert first.process is None
    assert second.process is not None


def test_a_program_that_is_not_there_is_told_at_the_first_start(supervisor: Supervisor) -> None:
    with pytest.raises(FileNotFoundError):
        supervisor.start(Program("one", ["/nowhere/program"]))

    assert supervisor.programs == []


def test_a_start_that_fails_later_is_tried_again(supervisor: Supervisor, clock: Clock) -> None:
    program = Program("one", python(""))
    supervisor.start(program)
    wait_for_end(program)
    supervisor.poll()
    program.command = ["/nowhere/program"]
    clock.now += FIRST_DELAY
    supervisor.poll()
    assert program.process is None

    program.command = python(SLEEP)
    clock.now += 2 * FIRST_DELAY
    supervisor.poll()

    assert program.process is not None


def test_output_environment_and_folder_are_as_told(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "import os; print(os.environ['WORD'], os.getcwd())"
    with (tmp_path / "output").open("wb") as output:
        program = Program("one", python(code), {"WORD": "hello"}, tmp_path, output)
        supervisor.start(program)
        wait_for_end(program)

    assert (tmp_path / "output").read_text() == f"hello {tmp_path}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_programs_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = """
import pathlib, signal, sys
from common.process.supervisor import Program, Supervisor
supervisor = Supervisor()
program = Program("one", [sys.executable, "-ISc", "import time; time.sleep(60)"])
supervisor.start(program)
print(program.process.pid, flush=True)
signal.pause()
"""
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()

    wait_until(lambda: not is_alive(child), what="the end of the child")
