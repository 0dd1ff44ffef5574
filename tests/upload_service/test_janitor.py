"""The janitor as a program: it waits, works, and ends when told to."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.ids import new_id
from common.settings import CommonSettings
from tests.conftest import ROOT
from tests.upload_service.conftest import Files, grow_old
from tests.waiting import wait_until
from upload_service.janitor.__main__ import run
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


def test_it_waits_for_a_database_that_is_away(
    common_settings: CommonSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "videos").mkdir()
    away = CommonSettings(
        **{**vars(common_settings), "database_url": f"sqlite:///{tmp_path}/away/none.db"}
    )
    settings = UploadSettings(
        away, videos_dir=tmp_path / "videos", max_upload_size=1, cleanup_after=1
    )
    stop = threading.Event()
    heartbeat = tmp_path / "heartbeat"
    options = {"interval": 0.01, "heartbeat": heartbeat}
    thread = threading.Thread(target=run, args=(settings, stop), kwargs=options)
    thread.start()
    for _ in range(3):
        wait_until(heartbeat.exists, what="another pass")
        heartbeat.unlink()
    assert thread.is_alive()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert capsys.readouterr().out.count("waiting for a store") == 1
