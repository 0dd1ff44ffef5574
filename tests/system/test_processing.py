"""A video is prepared after its upload, and what happens to it meanwhile does no harm."""

import json
from pathlib import Path

import pytest

from tests import media
from tests.system.deployment import Compose, Origin
from tests.system.http_client import Person
from tests.waiting import wait_until

pytestmark = pytest.mark.needs_ffmpeg

PATIENCE = 120  # seconds; other tests' videos are prepared before


@pytest.fixture(scope="session")
def short() -> Path:
    """Two seconds of video, of which there is little to make."""
    return media.make("no-sound.mp4")


def state(person: Person, video: str) -> str:
    """Return where a video stands."""
    answer = person.get(f"/api/videos/{video}/progress")
    found: str = answer.json()["state"] if answer.status_code == 200 else ""
    return found


def wait_for(person: Person, video: str) -> None:
    """Wait until a video is complete."""
    wait_until(
        lambda: state(person, video) == "done",
        within=PATIENCE,
        what="a complete video",
        pause=0.25,
    )


def test_a_video_is_complete_soon_after_its_upload(
    origin: Origin, alice: Person, short: Path
) -> None:
    video = alice.upload(short)
    wait_for(alice, video)
    told = alice.get(f"/api/videos/{video}/progress").json()
    assert told["percent"] == 100
    assert told["heights"]
    assert {step["state"] for step in told["steps"]} == {"done"}
    assert alice.get(told["poster"]).headers["Content-Type"] == "image/jpeg"
    assert alice.get(told["master"]).text.startswith("#EXTM3U")


@pytest.mark.parametrize("name", ["sound.mkv", "live.webm", "prores.mov"])
def test_what_no_browser_plays_can_be_watched_once_it_is_converted(
    origin: Origin, alice: Person, name: str
) -> None:
    path = media.make(name)
    video = alice.upload(path)
    wait_for(alice, video)
    told = alice.get(f"/api/videos/{video}").json()
    assert told["processing"]["watchable"]
    assert "media" not in told["urls"]
    assert (told["width"], told["height"]) == (320, 180)
    assert told["duration_ms"] == pytest.approx(2000, abs=100)
    assert alice.get(f"/stream/{video}/video.mp4").status_code == 404

    master = alice.get(told["processing"]["master"]).text
    playlist = next(line for line in master.splitlines() if line and line[0] != "#")
    segments = alice.get(f"/stream/{video}/{playlist}").text
    assert segments.rstrip().endswith("#EXT-X-ENDLIST")
    assert alice.get(f"/stream/{video}/{playlist[:-5]}.mp4").content[4:8] == b"ftyp"

    kept = alice.get(f"/stream/{video}/download")
    assert kept.content == path.read_bytes()
    assert f'filename="{name}"' in kept.headers["Content-Disposition"]


def test_a_video_that_is_deleted_while_it_is_prepared_is_gone(
    origin: Origin, alice: Person, video_file: Path, short: Path
) -> None:
    video = alice.upload(video_file)
    wait_until(lambda: state(alice, video) != "waiting", within=PATIENCE, what="its beginning")
    assert alice.delete(f"/api/videos/{video}?permanently=1").status_code == 204
    assert alice.get(f"/api/videos/{video}").status_code == 404
    after = alice.upload(short, title="After")
    wait_for(alice, after)


@pytest.mark.compose_only
def test_a_killed_transcode_container_costs_time_and_no_video(
    origin: Compose, alice: Person, video_file: Path
) -> None:
    video = alice.upload(video_file)
    wait_until(lambda: state(alice, video) == "processing", within=PATIENCE, what="its beginning")
    origin.compose("kill", "--signal", "SIGKILL", "transcode")
    origin.compose("start", "transcode")
    wait_for(alice, video)


@pytest.mark.compose_only
def test_a_stopped_transcode_container_ends_in_seconds_and_hands_its_job_back(
    origin: Compose, alice: Person, video_file: Path
) -> None:
    video = alice.upload(video_file)
    wait_until(lambda: state(alice, video) == "processing", within=PATIENCE, what="its beginning")
    origin.compose("stop", "transcode")
    lines = [line.partition("{")[2] for line in origin.logs("transcode").splitlines()]
    events = [json.loads("{" + line)["event"] for line in lines if line]
    assert events[-1] == "transcode service ended"
    origin.compose("start", "transcode")
    wait_for(alice, video)
