"""Processing under `kill -9`: whatever dies, every video ends complete, and nothing is left over.

    PROCESSING_KILLS=100 PROCESSING_SEED=7 python -m pytest tests/system/test_processing_faults.py

`PROCESSING_SECONDS=600` ends the killing after ten minutes, however many kills there were by then.
Victims and moments are drawn from the seed; each kind of victim is among the first four. Between
two kills something is finished, so that no step is hit three times: a step that is lost three
times is held for a file that kills workers.
"""

import json
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests import media
from tests.conftest import SETTINGS, free_ports
from tests.system.deployment import Standalone
from tests.system.http_client import Person, sign_up
from tests.waiting import wait_until

pytestmark = [pytest.mark.needs_ffmpeg, pytest.mark.standalone_only]

KILLS = int(os.environ.get("PROCESSING_KILLS", "5"))
SECONDS = float(os.environ.get("PROCESSING_SECONDS", "inf"))
SEED = int(os.environ.get("PROCESSING_SEED", "5"))
WITHIN = 60  # seconds after a kill until work goes on
AT_ONCE = 4  # videos that are not complete, while there are kills to come

VICTIMS = {
    "worker": "transcode_service.worker",
    "supervisor": "-m transcode_service ",
    "child": "-hide_banner",  # ffmpeg
    "redis": "valkey-server",
}
WEIGHTS = {"worker": 4, "child": 3, "supervisor": 2, "redis": 1}


class Site:
    """A running Matinee, and what Alice uploaded to it."""

    def __init__(self, running: Standalone, alice: Person) -> None:
        self.running, self.alice = running, alice
        self.videos: list[str] = []
        self._done: set[str] = set()  # complete videos

    def upload(self, video_file: Path) -> None:
        """Upload a video, again if the site was not there."""

        def sent() -> bool:
            try:
                self.videos.append(self.alice.upload(video_file))
            except (requests.RequestException, AssertionError):
                return False
            return True

        wait_until(sent, within=30, what="an upload")

    def progress(self, video: str) -> dict[str, object]:
        """Return how far a video is; nothing while the site cannot say."""
        try:
            answer = self.alice.get(f"/api/videos/{video}/progress", timeout=5)
        except requests.RequestException:
            return {}
        found: dict[str, object] = answer.json() if answer.status_code == 200 else {}
        return found

    def finished(self, video: str) -> list[tuple[str, int]]:
        """Return the steps of a video that are done."""
        steps = self.progress(video).get("steps", [])
        assert isinstance(steps, list)
        return [(step["kind"], step["height"]) for step in steps if step["state"] == "done"]

    def unfinished(self) -> list[str]:
        """Return the videos that are not complete."""
        return [video for video in self.videos if not self._is_done(video)]

    def _is_done(self, video: str) -> bool:
        """Tell whether a video is complete, without asking again for one that was."""
        if video not in self._done and self.progress(video).get("state") == "done":
            self._done.add(video)
        return video in self._done

    def go_on(self) -> bool:
        """Start again by hand what was hit three times, as a person would; tell if all is done."""
        for video in self.unfinished():
            if self.progress(video).get("state") == "failed":
                answer = self.alice.post(f"/stream/{video}/process")
                assert answer.status_code in (303, 503), answer.text
        return not self.unfinished()

    def steps_done(self) -> int:
        """Return how many steps are done, of all videos; to ask the site would take longer."""
        log = self.running.data_dir / "matinee.log"
        return log.read_text(encoding="utf-8").count('"step done"')

    def kill(self, part: str) -> bool:
        """`kill -9` what the part is called; tell whether it was there."""
        hit = False
        for pid, command in self.running.children().items():
            if part in f"{command} ":
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                hit = True
        return hit

    def folder(self, video: str) -> Path:
        """Return where a video's files are."""
        return self.running.data_dir / "videos" / video


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A Matinee of this module's own: killed processes leave duties that others wait for."""
    running = Standalone(tmp_path_factory.mktemp("data"), free_ports(3), **SETTINGS)
    running.start()
    try:
        with sign_up(running.url, "alice") as alice:
            yield Site(running, alice)
    finally:
        running.remove()


@pytest.fixture(scope="module")
def video_files() -> list[Path]:
    """Small videos: with sound, without, and one that has to be encoded whole."""
    return [media.make(name) for name in ("two-heights.mp4", "no-sound.mp4", "hevc.mp4")]


def test_every_video_ends_complete_whatever_is_killed(site: Site, video_files: list[Path]) -> None:
    chance = random.Random(SEED)
    killed: Counter[str] = Counter()
    for number in range(AT_ONCE):
        site.upload(video_files[number % len(video_files)])
    end = time.monotonic() + SECONDS
    first = chance.sample(list(WEIGHTS), len(WEIGHTS))
    while killed.total() < KILLS and time.monotonic() < end:
        if len(site.unfinished()) < AT_ONCE:
            site.upload(chance.choice(video_files))
        time.sleep(chance.random() * 1.5)  # the moment is random, and nothing is waited for
        [victim] = first[:1] or chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
        if not site.kill(VICTIMS[victim]):
            continue
        del first[:1]
        killed[victim] += 1
        before = site.steps_done()
        wait_until(
            lambda before=before: site.steps_done() > before or site.go_on(),
            within=WITHIN,
            what=f"work going on after {killed}",
            pause=0.25,
        )
    print(f"\nPROCESSING_SEED={SEED}: {dict(killed)}, {len(site.videos)} videos")  # noqa: T201 (what it came to)
    wait_until(site.go_on, within=300, what=f"complete videos after {killed}", pause=0.25)
    done = _steps_done(site.running.data_dir / "matinee.log")
    assert len(done) >= len(site.videos)
    for video in site.videos:
        _is_whole(site, video)
        _was_published_once(done, video)
    strays = [*(site.running.data_dir / "videos").glob("*/.work-*")]
    wait_until(lambda: not any(path.exists() for path in strays), within=90, what="no strays")


def _is_whole(site: Site, video: str) -> None:
    """Every step is done, and everything the master playlist names is there, whole and alone."""
    progress = site.progress(video)
    assert progress["percent"] == 100
    hls = site.folder(video) / "hls"
    master = site.alice.get(f"/stream/{video}/master.m3u8")
    text = master.text if master.status_code == 200 else (hls / "master.m3u8").read_text()
    named = set(re.findall(r"hls/([a-z0-9-]+\.m3u8)", text))
    playlists = {path.name for path in hls.glob("*.m3u8")} - {"master.m3u8"}
    assert named == playlists, "each rendition is named once it is published"
    for playlist in playlists:
        content = (hls / playlist).read_text()
        assert "#EXT-X-ENDLIST" in content
        [file] = set(re.findall(r"[a-z0-9-]+\.mp4", content))
        ranges = re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)", content)
        assert (hls / file).stat().st_size >= max(int(size) + int(at) for size, at in ranges)
    renditions = {height for kind, height in site.finished(video) if kind == "rendition"}
    assert {f"{height}p.m3u8" for height in renditions} <= playlists


def _was_published_once(done: list[dict[str, object]], video: str) -> None:
    counts = Counter(line["job"] for line in done if line["video"] == video)
    assert set(counts.values()) <= {1}, f"published more than once: {counts}"


def _steps_done(log: Path) -> list[dict[str, object]]:
    """Return what the workers logged of each step, right after the commit that published it."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if '"step done"' in line]
