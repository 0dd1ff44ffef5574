"""One job from claim to end: what is published, and what everything that goes wrong leads to."""

import errno
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import update

from common.storage import StorageError
from common.stores.video_cache import VideoCache
from db.engine import Database, DatabaseUnavailable
from db.models import JobKind, JobState, Video, now
from tests.transcode_service.conftest import LADDER, PLAIN, House, rendition
from tests.waiting import wait_until
from transcode_service import jobs, leases, publishing
from transcode_service.media import DiskFull, MediaFailed, Refused, SourceFacts
from transcode_service.media.facts import VideoTrack
from transcode_service.shop import Workshop
from transcode_service.steps import Made, Step
from transcode_service.work import drain, run_one

pytestmark = pytest.mark.usefixtures("plain_steps")
Put = Callable[..., None]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_LOOK", 0.02)
    monkeypatch.setattr("transcode_service.work._PAUSE", 0.02)


def failing(error: Exception) -> Callable[[Step], Made]:
    def step(_step: Step) -> Made:
        raise error

    return step


def the_check(house: House, video: str) -> int:
    [check] = [job.id for job in house.jobs(video) if job.kind is JobKind.CHECK]
    return check


@contextmanager
def in_thread(work: Callable[[], object]) -> Iterator[None]:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join(20)
    assert not thread.is_alive()
    assert not errors, errors


class Gate:
    """A step that has begun and goes on until it is let through, reporting as real ones do."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, step: Step) -> Made:
        made = PLAIN[JobKind.RENDITION](step)
        self.begun.set()
        while not self.open.wait(0.02):
            step.report(0.25)
        return made


def test_a_video_is_checked_planned_and_completed(house: House, shop: Workshop) -> None:
    video = house.video()
    drain(shop)
    assert house.is_complete(video)
    rungs = [f"{height}p" for height in LADDER]
    assert house.renditions(video) == sorted([*rungs, "audio-1", "source"])
    folder = house.storage.root / video
    assert (folder / "poster.jpg").read_text() == "poster"
    master = (folder / "hls" / "master.m3u8").read_text()
    for name in (*rungs, "source", "audio-1"):
        assert f"hls/{name}.m3u8" in master
        assert (folder / "hls" / f"{name}.mp4").read_text() == f"{name} mp4"
    assert house.strays() == []
    assert all(job.seconds is not None and job.attempts == 1 for job in house.jobs(video))


def test_there_is_no_master_playlist_before_the_sound(
    house: House, shop: Workshop, plain_steps: Put
) -> None:
    video = house.video()
    for _ in (JobKind.CHECK, JobKind.REMUX):
        run_one(shop)
    assert house.renditions(video) == ["source"]
    assert not house.storage.has_published(video, "hls/master.m3u8")
    run_one(shop)
    assert house.storage.has_published(video, "hls/master.m3u8")


def test_files_can_be_read_by_the_gateway_and_the_attempts_folder_cannot(
    house: House, shop: Workshop, plain_steps: Put
) -> None:
    modes = []

    def pictures(step: Step) -> Made:
        modes.append(step.folder.stat().st_mode & 0o777)
        return PLAIN[JobKind.THUMBNAILS](step)

    plain_steps(thumbnails=pictures)
    video = house.video()
    drain(shop)
    assert modes == [0o700]
    hls = house.storage.root / video / "hls"
    assert hls.stat().st_mode & 0o777 == 0o755
    assert {file.stat().st_mode & 0o777 for file in hls.iterdir()} == {0o644}


@pytest.mark.parametrize("known", [True, False])
def test_the_check_records_what_the_upload_left_open(
    house: House, shop: Workshop, plain_steps: Put, known: bool
) -> None:
    zeros: dict[str, Any] = dict.fromkeys((field.name for field in fields(VideoTrack)), 0)
    track = VideoTrack(**zeros | {"width": 320, "height": 180, "codec": "vp9"})
    facts = SourceFacts(container="matroska", duration_ms=2000, size=4, video=track, audio=())
    plain_steps(check=lambda _step: Made(facts=facts))
    video = house.video()
    if not known:
        nothing = dict.fromkeys(("duration_ms", "width", "height", "video_codec"))
        house.database.write(lambda session: session.execute(update(Video).values(**nothing)))

    drain(shop)

    row = house.database.read(lambda session: session.get_one(Video, video))
    found = (row.duration_ms, row.width, row.height, row.video_codec)
    assert found == ((12_000, 640, 360, "h264") if known else (2000, 320, 180, "vp9"))


def test_a_refused_video_says_why_gets_no_other_steps_and_is_not_tried_again(
    house: House, shop: Workshop, plain_steps: Put
) -> None:
    plain_steps(check=failing(Refused("This file is cut short. Upload it again.")))
    video = house.video()
    drain(shop)
    [job] = house.jobs(video)
    assert (job.state, job.error) == (JobState.FAILED, "This file is cut short. Upload it again.")
    row = house.database.read(lambda session: session.get_one(Video, video))
    assert row.rejection_reason == "This file is cut short. Upload it again."
    assert house.strays() == []


def test_a_refusal_waits_for_redis_so_that_no_cached_answer_outlives_it(
    house: House, shop: Workshop, plain_steps: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_steps(check=failing(Refused("No.")))
    tries = []
    real = VideoCache.changing

    def away(cache: VideoCache, ids: list[str]) -> object:
        tries.append(ids)
        if len(tries) < 3:
            raise RedisConnectionError
        return real(cache, ids)

    monkeypatch.setattr(VideoCache, "changing", away)
    video = house.video()
    run_one(shop)
    assert tries == [[video]] * 3
    assert house.look(the_check(house, video)).state is JobState.FAILED


def test_a_failed_step_keeps_the_sentence_and_ffmpegs_last_lines(
    house: House, shop: Workshop, plain_steps: Put
) -> None:
    plain_steps(check=failing(MediaFailed("Processing failed.", "line 1\nline 2")))
    video = house.video()
    run_one(shop)
    job = house.look(the_check(house, video))
    assert (job.state, job.error, job.log_tail) == (
        JobState.WAITING,
        "Processing failed.",
        "line 1\nline 2",
    )
    assert house.strays() == []


def test_a_bug_in_a_step_fails_the_attempt_and_the_queue_moves_on(
    house: House, shop: Workshop, plain_steps: Put
) -> None:
    plain_steps(thumbnails=failing(KeyError("bug")))
    broken = house.video()
    drain(shop)
    [pictures] = [job for job in house.jobs(broken) if job.kind is JobKind.THUMBNAILS]
    assert pictures.state is JobState.WAITING
    assert pictures.log_tail
    assert "KeyError" in pictures.log_tail
    assert all(
        job.state is JobState.DONE
        for job in house.jobs(broken)
        if job is not pictures and job.kind is not JobKind.THUMBNAILS
    )


def test_a_video_without_its_file_fails_with_a_sentence(
    house: House, shop: Workshop, plain_steps: Put
) -> None:
    plain_steps(check=lambda step: Made(pictures=(str(step.source),)))
    video = house.video()
    (house.storage.root / video / "original.mp4").unlink()
    run_one(shop)
    job = house.look(the_check(house, video))
    assert job.error == "The file of this video is not there."


@pytest.mark.parametrize("error", [DiskFull("no room"), OSError(errno.ENOSPC, "no room")])
def test_a_full_disk_puts_the_job_off_without_an_attempt_and_leaves_the_original(
    house: House, shop: Workshop, plain_steps: Put, error: Exception
) -> None:
    plain_steps(rendition=failing(error))
    video = house.video(content=b"the original")
    drain(shop)
    rungs = [job for job in house.jobs(video) if job.kind is JobKind.RENDITION]
    for job in rungs:
        assert (job.state, job.attempts) == (JobState.WAITING, 0)
        assert job.error == "The disk is full. Processing goes on when there is room."
        assert job.not_before is not None
        assert job.not_before > now()
    assert house.strays() == []
    assert (house.storage.root / video / "original.mp4").read_bytes() == b"the original"
    plain_steps()
    for job in rungs:
        house.change(job.id, not_before=None)
    drain(shop)
    assert house.is_complete(video)
    assert all(job.error is None for job in house.jobs(video))


def test_without_room_nothing_is_begun(
    house: House, shop: Workshop, plain_steps: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.storage, "free_bytes", lambda: 1 << 20)
    plain_steps(check=failing(AssertionError("begun")))
    video = house.video()
    run_one(shop)
    assert house.look(the_check(house, video)).error == DiskFull().sentence


def test_without_its_volume_nothing_is_begun_and_no_attempt_is_lost(
    house: House, shop: Workshop
) -> None:
    video = house.video()
    away = house.storage.root.with_name("away")
    house.storage.root.rename(away)
    with pytest.raises(StorageError):
        drain(shop)
    assert house.look(the_check(house, video)).attempts == 0
    away.rename(house.storage.root)
    drain(shop)
    assert house.is_complete(video)


def rung_only(house: House) -> tuple[str, int]:
    video = house.video()
    house.change(the_check(house, video), state=JobState.DONE)
    return video, house.job(video, JobKind.RENDITION, 240)


def test_a_worker_that_is_told_to_end_hands_its_job_back_at_once(
    house: House, shop: Workshop, plain_steps: Put
) -> None:
    gate = Gate()
    plain_steps(rendition=gate)
    video, job_id = rung_only(house)
    with in_thread(partial(drain, shop)):
        assert gate.begun.wait(10)
        shop.stopping.set()
    job = house.look(job_id)
    assert (job.state, job.attempts, job.worker) == (JobState.WAITING, 0, None)
    assert house.strays() == []
    assert house.renditions(video) == []


def test_deleting_a_video_ends_its_running_step(
    house: House, shop: Workshop, plain_steps: Put
) -> None:
    gate = Gate()
    plain_steps(rendition=gate)
    video, _ = rung_only(house)
    with in_thread(partial(drain, shop)):
        assert gate.begun.wait(10)
        house.change_video(video, deleted_at=now())
    assert house.renditions(video) == []
    assert house.strays() == []


def test_a_video_that_is_removed_under_its_step_leaves_nothing(
    house: House, shop: Workshop, plain_steps: Put
) -> None:
    gate = Gate()
    plain_steps(rendition=gate)
    video, _ = rung_only(house)
    with in_thread(partial(drain, shop)):
        assert gate.begun.wait(10)
        house.storage.drop_video(video)
        house.database.write(lambda session: session.delete(session.get_one(Video, video)))
    assert not (house.storage.root / video).exists()
    assert house.jobs() == []


def test_a_step_that_lost_its_job_publishes_nothing(
    house: House, shop: Workshop, plain_steps: Put
) -> None:
    def overtaken(step: Step) -> Made:
        house.change(job_id, fence=9)
        return PLAIN[JobKind.RENDITION](step)

    plain_steps(rendition=overtaken)
    video, job_id = rung_only(house)
    run_one(shop)
    assert house.look(job_id).state is JobState.RUNNING
    assert house.renditions(video) == []
    assert not (house.storage.root / video / "hls").exists()
    assert house.strays() == []


def test_two_workers_on_one_job_publish_once(
    house: House, shop: Workshop, plain_steps: Put
) -> None:
    """The first is slow, loses its lease, and comes to an end after the second."""
    slow = Gate()

    def step(given: Step) -> Made:
        if not slow.begun.is_set():
            slow.begun.set()
            slow.open.wait(10)
            made = rendition(given, "240p")
            (given.folder / "240p.mp4").write_text("late")
            return made
        return PLAIN[JobKind.RENDITION](given)

    plain_steps(rendition=step)
    video, job_id = rung_only(house)
    with in_thread(partial(run_one, shop)):
        assert slow.begun.wait(10)
        house.database.write(partial(jobs.expire, worker=shop.name))
        drain(shop)
        assert house.look(job_id).state is JobState.DONE
        slow.open.set()
    assert house.renditions(video) == ["240p"]
    assert (house.storage.root / video / "hls" / "240p.mp4").read_text() == "240p mp4"
    assert house.look(job_id).fence == 2
    assert house.strays() == []


def test_a_result_waits_for_a_database_that_is_away(
    house: House, shop: Workshop, plain_steps: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    plain_steps(rendition=gate)
    video, job_id = rung_only(house)
    real = Database._run
    away = threading.Event()
    refused: list[object] = []

    def run(database: Database, work: Callable[..., object], *, writes: bool) -> object:
        if away.is_set():
            refused.append(getattr(work, "func", None))
            raise DatabaseUnavailable("away")
        return real(database, work, writes=writes)

    monkeypatch.setattr(Database, "_run", run)
    with in_thread(partial(run_one, shop)):
        assert gate.begun.wait(10)
        away.set()
        gate.open.set()
        wait_until(lambda: refused.count(publishing.publish) >= 3, what="three tries")
        away.clear()
    assert house.look(job_id).state is JobState.DONE
    assert house.renditions(video) == ["240p"]


def test_a_commit_whose_answer_is_lost_counts_as_what_it_was(
    house: House, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Database._run
    lost = []

    def run(database: Database, work: Callable[..., object], *, writes: bool) -> object:
        result = real(database, work, writes=writes)
        if writes and not lost and getattr(work, "func", None) is publishing.publish:
            lost.append(work)
            raise DatabaseUnavailable("the answer to a commit was lost")
        return result

    monkeypatch.setattr(Database, "_run", run)
    video, job_id = rung_only(house)
    run_one(shop)
    assert lost
    job = house.look(job_id)
    assert (job.state, job.attempts) == (JobState.DONE, 1)
    assert house.renditions(video) == ["240p"]
    assert house.storage.has_published(video, "hls/240p.m3u8")


def test_files_of_an_attempt_that_died_while_publishing_are_replaced(
    house: House, shop: Workshop
) -> None:
    video, _ = rung_only(house)
    hls = house.storage.root / video / "hls"
    hls.mkdir()
    (hls / "240p.mp4").write_text("of the attempt that died")
    (house.storage.root / video / ".work-1-0").mkdir()
    drain(shop)
    assert (hls / "240p.mp4").read_text() == "240p mp4"


def test_a_master_playlist_names_what_has_a_row_and_nothing_else(
    house: House, shop: Workshop
) -> None:
    video, _ = rung_only(house)
    hls = house.storage.root / video / "hls"
    hls.mkdir()
    shutil.copyfile(__file__, hls / "stray.m3u8")
    drain(shop)
    master = (hls / "master.m3u8").read_text()
    assert [line for line in master.splitlines() if line.endswith(".m3u8")] == ["hls/240p.m3u8"]
