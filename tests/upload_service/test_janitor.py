"""The janitor as a program: it waits, works, and ends when told to."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from common.duty import Duty
from common.ids import new_id
from common.settings import CommonSettings
from db.engine import Database
from tests.conftest import ROOT
from tests.upload_service.conftest import Files, grow_old
from tests.waiting import wait_until
from upload_service.janitor import __main__ as janitor_program
from upload_service.janitor.__main__ import run
from upload_service.janitor.cleanup import Cleaner
from upload_service.settings import UploadSettings


@pytest.fixture
def janitor(
    common_settings: CommonSettings, tmp_path: Path, python: str
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts janitors of an empty house, whose videos are at `tmp_path/videos`."""
    started = []

    def start(**settings: str) -> subprocess.Popen[str]:
        environ = {
            "DATABASE_URL": common_settings.database_url,
            "REDIS_URL": common_settings.redis_url,
            "VIDEOS_DIR": str(tmp_path / "videos"),
            **settings,
        }
        process = subprocess.Popen(
            [python, "-m", "upload_service.janitor"],
            cwd=ROOT,
            env=os.environ | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_it_waits_for_its_volume_cleans_and_ends_when_told_to(
    janitor: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = janitor(CLEANUP_AFTER="1s")
    assert process.stdout
    lines = map(json.loads, process.stdout)
    assert next(lines)["event"] == "janitor started"
    waiting = next(lines)
    assert waiting["event"] == "waiting for a store"
    assert str(tmp_path / "videos") in waiting["detail"]
    storage = Files(tmp_path / "videos")
    storage.root.mkdir()
    storage.prepare()
    stray = new_id()
    storage.create_incoming(stray)
    grow_old(storage.root / "incoming" / stray)
    assert next(lines)["event"] == "stray bytes removed"
    assert next(lines)["event"] == "stores are back"
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert next(lines)["event"] == "janitor ended"
    assert process.wait(10) == 0
    assert time.monotonic() - began < 3


def test_a_wrong_setting_ends_it_with_a_sentence(
    janitor: Callable[..., subprocess.Popen[str]],
) -> None:
    process = janitor(CLEANUP_AFTER="soon")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.startswith("CLEANUP_AFTER is 'soon'")


@pytest.fixture
def upload_settings(common_settings: CommonSettings, tmp_path: Path) -> UploadSettings:
    """Settings with an empty volume."""
    (tmp_path / "videos").mkdir()
    return UploadSettings(
        common_settings, videos_dir=tmp_path / "videos", max_upload_size=1, cleanup_after=1
    )


class Running:
    """A janitor in a thread of its own."""

    def __init__(self, settings: UploadSettings, name: str, heartbeat: Path) -> None:
        self._stop = threading.Event()
        self._heartbeat = heartbeat
        options = {"interval": 0.01, "heartbeat": heartbeat}
        self._thread = threading.Thread(
            target=run, args=(settings, self._stop), kwargs=options, name=name
        )
        self._thread.start()

    def wait_for_a_pass(self) -> None:
        """Wait until a pass has begun and ended."""
        for _ in range(2):
            self._heartbeat.unlink(missing_ok=True)
            wait_until(self._heartbeat.exists, what="another pass")

    def end(self) -> None:
        """Tell it to end, and wait until it has."""
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture
def start(upload_settings: UploadSettings, tmp_path: Path) -> Iterator[Callable[[str], Running]]:
    """Starts janitors that use the same stores."""
    with ExitStack() as stack:

        def begin(name: str) -> Running:
            running = Running(upload_settings, name, tmp_path / f"heartbeat-{name}")
            stack.callback(running.end)
            return running

        yield begin


@pytest.mark.on_mysql
def test_of_two_one_works_and_the_other_takes_over_when_it_ends(
    start: Callable[[str], Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = []
    monkeypatch.setattr(
        Cleaner, "clean", lambda _cleaner: worked.append(threading.current_thread().name)
    )
    first = start("first")
    wait_until(lambda: worked, what="work of the first")
    second = start("second")
    second.wait_for_a_pass()
    assert set(worked) == {"first"}
    first.end()
    wait_until(lambda: "second" in worked, what="work of the second")


def test_one_that_has_lost_its_lease_ends_its_pass(
    start: Callable[[str], Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    monkeypatch.setattr(Cleaner, "clean", lambda _cleaner: done.append("clean"))
    monkeypatch.setattr(Duty, "hold", lambda _duty: not done)
    monkeypatch.setattr(
        janitor_program, "record_disk_space", lambda *_args, **_options: done.append("measure")
    )
    start("late").wait_for_a_pass()
    assert done == ["clean"]


def test_one_without_its_volume_leaves_the_work_to_others(
    start: Callable[[str], Running],
    upload_settings: UploadSettings,
    database: Database,
) -> None:
    upload_settings.videos_dir.rmdir()
    start("away").wait_for_a_pass()
    assert Duty(database, "janitor", "another").hold()


def test_it_waits_for_a_database_that_is_away(
    upload_settings: UploadSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = replace(upload_settings.common, database_url=f"sqlite:///{tmp_path}/away/none.db")
    settings = replace(upload_settings, common=away)
    running = Running(settings, "waiting", tmp_path / "heartbeat")
    for _ in range(3):
        running.wait_for_a_pass()
    running.end()
    assert capsys.readouterr().out.count("waiting for a store") == 1
