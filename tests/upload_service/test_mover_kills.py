"""`kill -9` of the mover at random moments, while videos move to and fro and viewers read them.

`make soak` kills 200 times; `FAULT_SEED` repeats a run.
"""

import multiprocessing
import os
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path
from random import Random

from common.settings import CommonSettings
from common.storage.movable import MovableFiles
from common.storage.s3 import S3Store
from common.storage.s3_settings import S3Settings
from common.stores import Stores
from tests.upload_service.moving import MovingSite, sha256
from tests.waiting import wait_until

KILLS = int(os.environ.get("FAULT_ROUNDS", "8"))
SEED = int(os.environ.get("FAULT_SEED", "1"))
VIDEOS = 12
VIEWERS = 3
GRACE = timedelta(seconds=2)  # longer than a viewer takes from the row to the bytes


def move_to_and_fro(
    common: CommonSettings, folder: Path, settings: S3Settings, videos: list[str], ready: object
) -> None:
    """Move, clean, and move some back, for ever: the program that is killed."""
    stores = Stores.of(common)
    site = MovingSite(stores, MovableFiles(folder), settings, S3Store(settings), owner_id=1)
    random = Random(os.getpid())
    ready.set()  # type: ignore[attr-defined]
    while True:
        site.duty(grace=GRACE).work()
        site.cleaner(grace=GRACE).clean()
        for video in random.sample(videos, 4):
            for name, found in site.current(video).items():
                site.mover.to_disk(video, name, found, advance=site.pace.begin())


def files_of(random: Random, number: int) -> dict[str, bytes]:
    """Return the files of a video, some of several parts."""
    size = (6 << 20) if number < 3 else 200_000
    return {
        "original.mp4": random.randbytes(size + number),
        "poster.jpg": random.randbytes(20_000),
        "hls/720p.mp4": random.randbytes(300_000),
        "hls/master.m3u8": b"#EXTM3U",
    }


class Viewer(threading.Thread):
    """Somebody who reads files from where their rows say they are.

    :ivar wrong: what was not right, or not there for a second.
    """

    def __init__(self, site: MovingSite, wanted: dict[str, dict[str, str]], seed: int) -> None:
        super().__init__(daemon=True)
        self._site, self._wanted, self._random = site, wanted, Random(seed)
        self.ended = threading.Event()
        self.reads = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        """Read until told to end."""
        while not self.ended.is_set():
            video = self._random.choice(sorted(self._wanted))
            name = self._random.choice(sorted(self._wanted[video]))
            self._read(video, name)
            self.reads += 1

    def _read(self, video: str, name: str) -> None:
        began = time.monotonic()
        while True:
            try:
                found = sha256(self._site.read(video, name))
            except OSError as error:
                if time.monotonic() - began > 1:
                    self.wrong.append(f"{video}/{name}: {error}")
                    return
                continue
            if found != self._wanted[video][name]:
                self.wrong.append(f"{video}/{name}: other bytes")
            return


def test_no_kill_costs_a_byte(moving: MovingSite, common_settings: CommonSettings) -> None:
    random = Random(SEED)
    contents = [files_of(random, number) for number in range(VIDEOS)]
    wanted = {
        moving.add_video(files): {name: sha256(content) for name, content in files.items()}
        for files in contents
    }
    viewers = [Viewer(moving, wanted, seed) for seed in range(VIEWERS)]
    for viewer in viewers:
        viewer.start()
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.upload_service.moving", "common.storage.s3"])
    for number in range(KILLS):
        ready = processes.Event()
        mover = processes.Process(
            target=move_to_and_fro,
            args=(common_settings, moving.disk.root, moving.settings, list(wanted), ready),
        )
        mover.start()
        assert ready.wait(30), mover.exitcode
        mover.join(random.uniform(0.05, 1.5))  # the moment is the point, and nothing else ends it
        assert mover.pid is not None
        os.kill(mover.pid, signal.SIGKILL)
        mover.join()
        assert mover.exitcode == -signal.SIGKILL
        if number % 25 == 24:
            moving.let_time_pass()
    seen = [viewer.reads for viewer in viewers]
    wait_until(
        lambda: all(viewer.reads > before for viewer, before in zip(viewers, seen, strict=True)),
        within=30,
        what="viewers who read",
    )
    for viewer in viewers:
        viewer.ended.set()
        viewer.join()
    assert [wrong for viewer in viewers for wrong in viewer.wrong] == []

    # What is left half done is finished, and nothing stays that nobody needs.
    moving.let_time_pass()
    for path in moving.disk.root.rglob(".fetch-*"):
        os.utime(path, (0, 0))
    for _ in range(3):
        moving.duty().work()
        moving.cleaner().clean()
    for video, names in wanted.items():
        assert moving.current(video).keys() == names.keys()
        assert {name: sha256(moving.read(video, name)) for name in names} == names
        assert moving.on_disk(video) == []
    moving.assert_tidy()
