"""Programs that work until a signal."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from common.process.daemon import repeat_until_stopped
from db.engine import Database, DatabaseUnavailable
from tests.conftest import ROOT


class Passes:
    """Work that fails as it is told to, and ends the program after its last pass."""

    def __init__(self, *errors: Exception | None) -> None:
        self.stop = threading.Event()
        self._errors = list(errors)

    def __call__(self) -> None:
        """Make one pass."""
        error = self._errors.pop(0)
        if not self._errors:
            self.stop.set()
        if error is not None:
            raise error

    def events(self, heartbeat: Path | None = None) -> list[str]:
        """Make all passes, and return what was logged."""
        with capture_logs() as lines:
            repeat_until_stopped(self, self.stop, interval=0.001, heartbeat=heartbeat)
        return [line["event"] for line in lines]


def test_a_store_that_is_away_is_told_once_and_so_is_its_return() -> None:
    away = DatabaseUnavailable("away")
    passes = Passes(None, away, away, None, None, away)
    assert passes.events() == ["waiting for a store", "stores are back", "waiting for a store"]


def test_a_fault_of_ours_costs_one_pass() -> None:
    assert Passes(ValueError("ours"), None, None).events() == ["a pass failed"]


@pytest.mark.parametrize("error", [None, DatabaseUnavailable("away"), ValueError("ours")])
def test_it_says_that_it_lives_even_where_it_waits(error: Exception | None, tmp_path: Path) -> None:
    beat = tmp_path / "heartbeat"
    Passes(error).events(beat)
    assert beat.exists()


PROGRAM = """
from types import SimpleNamespace

from common.process.daemon import run_daemon
from common.settings import CommonSettings

def read(environment):
    return SimpleNamespace(common=CommonSettings.read(environment))

def run(settings, stop, heartbeat):
    print("runs", heartbeat, flush=True)
    stop.wait()
    print("ends", flush=True)

run_daemon("test", read, run)
"""


@pytest.fixture
def start(
    database: Database, redis_url: str, tmp_path: Path
) -> Callable[..., "subprocess.Popen[str]"]:
    """Start a program whose settings come from the environment."""

    def start(**environment: str) -> "subprocess.Popen[str]":
        given = {
            "DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
            "REDIS_URL": redis_url,
            "STATIC_DIR": str(tmp_path),
            **environment,
        }
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**os.environ, **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_told_to(
    start: Callable[..., "subprocess.Popen[str]"], number: signal.Signals
) -> None:
    with start(HEARTBEAT_FILE="/tmp/beat") as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "runs /tmp/beat\n"
        program.send_signal(number)
        said, wrong = program.communicate(timeout=20)
    assert (said, wrong, program.returncode) == ("ends\n", "", 0)


def test_a_wrong_setting_is_one_sentence(start: Callable[..., "subprocess.Popen[str]"]) -> None:
    with start(SESSION_TTL="soon") as program:
        said, wrong = program.communicate(timeout=20)
    assert said == ""
    assert wrong.startswith("SESSION_TTL")
    assert wrong.count("\n") == 1
    assert program.returncode == 1


def test_a_database_that_is_older_is_one_sentence(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    with start(DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}") as program:
        said, wrong = program.communicate(timeout=20)
    assert said == ""
    assert wrong.startswith("The database has no revision, and this version of Matinee needs")
    assert wrong.count("\n") == 1
    assert program.returncode == 1
