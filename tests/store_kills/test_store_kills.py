"""200 `kill -9` of mover, worker, gateway and store while videos move and viewers watch.

`make soak` kills 200 times with 50 videos and 20 viewers; `FAULT_SEED` repeats what is drawn.
"""

import multiprocessing
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, replace
from random import Random

import pytest
from sqlalchemy import select

from db.models import Job, JobKind, JobState, Rendition
from tests.store_kills.conftest import RunningSite
from tests.store_kills.programs import (
    Place,
    Program,
    make_renditions,
    move_to_and_fro,
    process_again,
    queue,
    rendition_of,
)
from tests.store_kills.viewers import Outages, Viewer
from tests.upload_service.moving import MovingSite, sha256
from tests.waiting import wait_until
from transcode_service.reconciler import Reconciler

pytestmark = pytest.mark.needs_nginx

KILLS = int(os.environ.get("FAULT_ROUNDS", "5"))
SEED = int(os.environ.get("FAULT_SEED", "1"))
VIDEOS, VIEWERS = (50, 20) if KILLS >= 100 else (6, 4)
# Seconds that a range may be unwatchable. The other tests may have both cores for a while.
LIMIT = 1.0 if KILLS >= 100 else 10.0
HEIGHT = 240
RENDITION = f"hls/{HEIGHT}p.mp4"
LARGE = 3  # videos whose originals are objects of several parts


class Killed:
    """A program in a process of its own, which is killed and started again."""

    def __init__(self, program: Program, place: Place) -> None:
        self._program, self._place = program, place
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.store_kills.programs"])
        self.start()

    def start(self) -> None:
        """Run it until :meth:`kill`."""
        ready = self._context.Event()
        self.process = self._context.Process(target=self._program, args=(self._place, ready))
        self.process.start()
        assert ready.wait(30), self.process.exitcode

    def kill(self) -> None:
        """Kill it; it must not have ended by itself."""
        self.process.kill()
        self.process.join()
        assert self.process.exitcode == -signal.SIGKILL


@dataclass
class Targets:
    """Whatever may be killed: each method kills one thing, and has it run again."""

    site: RunningSite
    outages: Outages
    programs: dict[str, Killed]

    def kill(self, name: str) -> None:
        """Kill something by its name."""
        if name in self.programs:
            self.programs[name].kill()
            self.programs[name].start()
        elif name == "gateway's worker":
            self._kill_worker_of_gateway()
        elif name == "gateway":
            with self.outages.during():
                self.site.gateway.kill()
                self.site.gateway.start()
        else:
            with self.outages.during():
                self.site.store.process.kill()
                self.site.store.process.start()

    def _kill_worker_of_gateway(self) -> None:
        gateway = self.site.gateway
        before = gateway.workers()
        os.kill(min(before), signal.SIGKILL)
        wait_until(lambda: gateway.workers() - before, what="another worker")


NAMES = {"mover": 3, "worker": 3, "gateway's worker": 1, "gateway": 1, "store": 2}


def files_of(random: Random, number: int) -> dict[str, bytes]:
    """Return the files with which a video comes to the site."""
    size = (6 << 20) if number < LARGE else 200_000
    return {
        "original.mp4": random.randbytes(size + number),
        "poster.jpg": random.randbytes(20_000),
    }


def add_video(site: MovingSite, files: dict[str, bytes]) -> str:
    """Add a video that browsers can play, and the job that makes its rendition."""
    about = {"width": 640, "height": 360, "video_codec": "h264", "duration_ms": 12_000}
    video = site.add_video(files, **about)
    job = Job(video_id=video, kind=JobKind.RENDITION, height=HEIGHT)
    site.database.write(lambda session: session.add(job))
    return video


def test_no_kill_costs_a_byte_or_a_second(running_site: RunningSite) -> None:
    random, moving = Random(SEED), running_site.moving
    arrived = [files_of(random, number) for number in range(VIDEOS)]
    videos = {add_video(moving, files): files for files in arrived}
    place = replace(running_site.place, videos=tuple(videos))
    make_renditions(place.worker_context())
    wanted = {
        video: files | {RENDITION: rendition_of(files["original.mp4"])}
        for video, files in videos.items()
    }
    in_urls = {
        video: {name.replace("original", "video"): content for name, content in files.items()}
        for video, files in wanted.items()
    }
    outages = Outages()
    gateway, token = running_site.gateway, running_site.token
    viewers = [
        Viewer(gateway, token, in_urls, outages, seed=seed, limit=LIMIT) for seed in range(VIEWERS)
    ]
    programs = {"mover": Killed(move_to_and_fro, place), "worker": Killed(process_again, place)}
    targets = Targets(running_site, outages, programs)
    killed: Counter[str] = Counter()
    order = random.choices(list(NAMES), list(NAMES.values()), k=KILLS - len(NAMES))
    try:
        for viewer in viewers:
            viewer.start()
        for name in [*NAMES, *order]:
            # The moment is the point, and nothing else ends the wait.
            programs["mover"].process.join(random.uniform(0.05, 1.5))
            targets.kill(name)
            killed[name] += 1
            if sum(killed.values()) % 25 == 0:
                moving.let_time_pass()
        seen = [viewer.reads for viewer in viewers]
        wait_until(
            lambda: all(v.reads > before for v, before in zip(viewers, seen, strict=True)),
            within=30,
            what="viewers who read",
        )
    finally:
        for viewer in viewers:
            viewer.ended.set()
        for viewer in viewers:
            viewer.join()
        for program in programs.values():
            program.kill()
    reads, told = sum(viewer.reads for viewer in viewers), sum(viewer.told for viewer in viewers)
    longest = max(viewer.longest for viewer in viewers)
    down = outages.seconds(0, time.monotonic())
    print(  # noqa: T201 (what it came to)
        f"\nFAULT_SEED={SEED}: kills {dict(killed)}; {reads} right ranges, {told} answers of an"
        f" outage ({down:.0f} s in all), at most {longest:.2f} s unwatchable"
    )
    assert [wrong for viewer in viewers for wrong in viewer.wrong] == []
    finish(place, moving)
    for video, files in wanted.items():
        found = {name: moving.read(video, name) for name in moving.current(video)}
        digests = {name: sha256(content) for name, content in found.items() if name in files}
        assert digests == {name: sha256(content) for name, content in files.items()}
        assert {"hls/master.m3u8", f"hls/{HEIGHT}p.m3u8"} < found.keys()
        assert moving.on_disk(video) == []
    moving.assert_tidy()


def finish(place: Place, moving: MovingSite) -> None:
    """Finish what is half done; then no row says failed, and no file or object is left over."""
    context = place.worker_context()
    Reconciler(context, sweep_every=0).expire(worker=context.name)
    queue(context, [])
    make_renditions(context)
    Reconciler(context, sweep_every=0).reconcile()
    moving.let_time_pass()
    for path in moving.disk.root.rglob(".fetch-*"):
        os.utime(path, (0, 0))
    for _ in range(3):
        moving.duty().work()
        moving.cleaner().clean()
    jobs = moving.database.read(lambda session: session.scalars(select(Job)).all())
    assert {job.state for job in jobs} == {JobState.DONE}
    renditions = moving.database.read(lambda session: session.scalars(select(Rendition)).all())
    assert sorted(made.video_id for made in renditions) == sorted(place.videos)
