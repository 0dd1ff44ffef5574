"""One job from claim to end: what is published, and what everything that goes wrong leads to."""

import errno
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from common.storage import StorageError, VideoStore
from common.stores.video_cache import VideoCache
from db.engine import Database, DatabaseUnavailable
from db.models import JobKind, JobState, PosterChoice, Video, now
from tests.transcode_service.conftest import LADDER, PLAIN, House, rendition
from tests.waiting import wait_until
from transcode_service import jobs, leases, publishing
from transcode_service.media.source_info import (
    AudioTrack,
    DiskFull,
    MediaFailed,
    SourceInfo,
    UnplayableSource,
    VideoTrack,
)
from transcode_service.run_job import run_one, run_until_empty
from transcode_service.steps import JobRun, StepOutput
from transcode_service.worker_context import WorkerContext

INFO = SourceInfo(
    container="matroska",
    duration_ms=90_000,
    size=4,
    video=VideoTrack(
        index=0,
        width=1280,
        height=720,
        coded_width=1280,
        coded_height=720,
        codec="vp9",
        pixel_format="yuv420p",
        frame_rate=25.0,
        rotation=0,
        hdr="",
        matrix="bt709",
        full_range=False,
        interlaced=False,
        keyframe_ms=2000,
        self_contained=True,
        start_ms=0,
        trimmed=False,
        bit_rate=100_000,
    ),
    audio=(AudioTrack(1, "opus", "", 2, 48_000, None, None, True, 0, 64_000),),
)

pytestmark = pytest.mark.usefixtures("plain_steps")
Put = Callable[..., None]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_LOOK", 0.02)
    monkeypatch.setattr(leases, "_RETRY_DELAY", 0.02)
    monkeypatch.setattr("transcode_service.run_job._RETRY_DELAY", 0.02)


def failing(error: Exception) -> Callable[[JobRun], StepOutput]:
    def step(_step: JobRun) -> StepOutput:
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

    def __call__(self, step: JobRun) -> StepOutput:
        made = PLAIN[JobKind.RENDITION](step)
        self.begun.set()
        while not self.open.wait(0.02):
            step.report(0.25)
        return made


@pytest.mark.on_mysql
def test_a_video_is_checked_planned_and_completed(house: House, context: WorkerContext) -> None:
    video = house.video()
    run_until_empty(context)
    assert house.is_complete(video)
    renditions = [f"{height}p" for height in LADDER]
    assert house.renditions(video) == sorted([*renditions, "audio-1", "source"])
    folder = house.storage.root / video
    assert (folder / "poster.jpg").read_text() == "poster"
    master = (folder / "hls" / "master.m3u8").read_text()
    for name in (*renditions, "source", "audio-1"):
        assert f"hls/{name}.m3u8" in master
        assert (folder / "hls" / f"{name}.mp4").read_text() == f"{name} mp4"
    assert house.strays() == []
    assert all(job.seconds is not None and job.attempts == 1 for job in house.jobs(video))


@pytest.mark.on_mysql
def test_a_chosen_poster_replaces_the_other_and_stays(house: House, context: WorkerContext) -> None:
    video = house.video()
    run_until_empty(context)
    choice = PosterChoice(video_id=video, at_ms=7000)
    house.database.write(lambda session: session.add(choice))
    house.job(video, JobKind.POSTER)

    run_until_empty(context)
    [thumbnails] = [job.id for job in house.jobs(video) if job.kind is JobKind.THUMBNAILS]
    house.change(thumbnails, state=JobState.WAITING)
    run_until_empty(context)

    assert (house.storage.root / video / "poster.jpg").read_text() == "chosen at 7000"
    look = house.database.read
    assert look(lambda session: session.get_one(Video, video).poster_version) == 1
    assert look(lambda session: session.get(PosterChoice, video)) is None
    assert house.is_complete(video)


def test_a_failure_that_is_final_is_not_tried_again(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    plain_steps(check=failing(MediaFailed("This image cannot be used.", is_final=True)))
    video = house.video()
    run_until_empty(context)
    [check] = house.jobs(video)
    assert (check.state, check.attempts) == (JobState.FAILED, 1)
    assert check.error == "This image cannot be used."


def test_an_image_that_cannot_be_a_poster_is_not_kept(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    plain_steps(poster=failing(MediaFailed("This image cannot be used.", is_final=True)))
    video = house.video()
    choice = PosterChoice(video_id=video, image=b"no image")
    house.database.write(lambda session: session.add(choice))
    job = house.job(video, JobKind.POSTER)
    run_until_empty(context)
    assert house.look(job).error == "This image cannot be used."
    assert house.database.read(lambda session: session.get(PosterChoice, video)) is None


def test_there_is_no_master_playlist_before_the_audio(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    video = house.video()
    for _ in (JobKind.CHECK, JobKind.REMUX):
        run_one(context)
    assert house.renditions(video) == ["source"]
    assert not house.storage.has_published(video, "hls/master.m3u8")
    run_one(context)
    assert house.storage.has_published(video, "hls/master.m3u8")


def test_files_can_be_read_by_the_gateway_and_the_attempts_folder_cannot(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    modes = []

    def pictures(step: JobRun) -> StepOutput:
        modes.append(step.folder.stat().st_mode & 0o777)
        return PLAIN[JobKind.THUMBNAILS](step)

    plain_steps(thumbnails=pictures)
    video = house.video()
    run_until_empty(context)
    assert modes == [0o700]
    hls = house.storage.root / video / "hls"
    assert hls.stat().st_mode & 0o777 == 0o755
    assert {file.stat().st_mode & 0o777 for file in hls.iterdir()} == {0o644}


@pytest.mark.on_mysql
def test_a_rejected_video_says_why_gets_no_other_steps_and_is_not_tried_again(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    plain_steps(check=failing(UnplayableSource("This file is cut short. Upload it again.")))
    video = house.video()
    run_until_empty(context)
    [job] = house.jobs(video)
    assert (job.state, job.error) == (JobState.FAILED, "This file is cut short. Upload it again.")
    row = house.database.read(lambda session: session.get_one(Video, video))
    assert row.rejection_reason == "This file is cut short. Upload it again."
    assert house.strays() == []


def test_a_rejection_waits_for_redis_so_that_no_cached_answer_outlives_it(
    house: House, context: WorkerContext, plain_steps: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_steps(check=failing(UnplayableSource("No.")))
    tries = []
    real = VideoCache.changing

    def away(cache: VideoCache, ids: list[str]) -> object:
        tries.append(ids)
        if len(tries) < 3:
            raise RedisConnectionError
        return real(cache, ids)

    monkeypatch.setattr(VideoCache, "changing", away)
    video = house.video()
    run_one(context)
    assert tries == [[video]] * 3
    assert house.look(the_check(house, video)).state is JobState.FAILED


@pytest.mark.on_mysql
def test_a_failed_step_keeps_the_sentence_and_ffmpegs_last_lines(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    plain_steps(check=failing(MediaFailed("Processing failed.", "line 1\nline 2")))
    video = house.video()
    run_one(context)
    job = house.look(the_check(house, video))
    assert (job.state, job.error, job.log_tail) == (
        JobState.WAITING,
        "Processing failed.",
        "line 1\nline 2",
    )
    assert house.strays() == []


def test_a_bug_in_a_step_fails_the_attempt_and_the_queue_moves_on(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    plain_steps(thumbnails=failing(KeyError("bug")))
    broken = house.video()
    run_until_empty(context)
    [pictures] = [job for job in house.jobs(broken) if job.kind is JobKind.THUMBNAILS]
    assert pictures.state is JobState.WAITING
    assert pictures.log_tail == "KeyError: 'bug'"
    assert all(
        job.state is JobState.DONE
        for job in house.jobs(broken)
        if job is not pictures and job.kind is not JobKind.THUMBNAILS
    )


def test_what_people_are_shown_of_a_failure_names_no_folder_and_no_line_of_code(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    detail = (
        'Traceback (most recent call last):\n  File "/app/x.py", line 1\nOSError: /srv/a/b.mp4\n'
    )
    plain_steps(check=failing(MediaFailed("Processing failed.", detail)))
    video = house.video()
    run_one(context)
    assert house.look(the_check(house, video)).log_tail == "OSError: b.mp4\n"


@pytest.mark.on_mysql
def test_the_check_fills_in_what_the_upload_could_not_tell(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    def check(run: JobRun) -> StepOutput:
        (run.folder / "facts.json").write_text("{}")
        return replace(PLAIN[JobKind.CHECK](run), info=INFO)

    plain_steps(check=check)
    video = house.video()
    house.change_video(video, width=0, height=0, duration_ms=0, video_codec="")
    run_one(context)
    row = house.database.read(lambda session: session.get_one(Video, video))
    assert (row.width, row.height, row.duration_ms) == (1280, 720, 90_000)
    assert (row.video_codec, row.audio_codec) == ("vp9", "opus")


def test_a_video_without_its_file_fails_with_a_sentence(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    plain_steps(check=lambda step: StepOutput(thumbnails=(str(step.source),)))
    video = house.video()
    (house.storage.root / video / "original.mp4").unlink()
    run_one(context)
    job = house.look(the_check(house, video))
    assert job.error == "The file of this video is not there."


@pytest.mark.parametrize("error", [DiskFull("no room"), OSError(errno.ENOSPC, "no room")])
def test_a_full_disk_puts_the_job_off_without_an_attempt_and_leaves_the_original(
    house: House, context: WorkerContext, plain_steps: Put, error: Exception
) -> None:
    plain_steps(rendition=failing(error))
    video = house.video(content=b"the original")
    run_until_empty(context)
    renditions = [job for job in house.jobs(video) if job.kind is JobKind.RENDITION]
    for job in renditions:
        assert (job.state, job.attempts) == (JobState.WAITING, 0)
        assert job.error == "The disk is full. Processing continues when there is space."
        assert job.not_before is not None
        assert job.not_before > now()
    assert house.strays() == []
    assert (house.storage.root / video / "original.mp4").read_bytes() == b"the original"
    plain_steps()
    for job in renditions:
        house.change(job.id, not_before=None)
    run_until_empty(context)
    assert house.is_complete(video)
    assert all(job.error is None for job in house.jobs(video))


def test_without_room_no_step_is_started(
    house: House, context: WorkerContext, plain_steps: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.storage, "free_bytes", lambda: 1 << 20)
    plain_steps(check=failing(AssertionError("begun")))
    video = house.video()
    run_one(context)
    assert house.look(the_check(house, video)).error == DiskFull().sentence


def test_without_its_volume_nothing_is_begun_and_no_attempt_is_lost(
    house: House, context: WorkerContext
) -> None:
    video = house.video()
    away = house.storage.root.with_name("away")
    house.storage.root.rename(away)
    with pytest.raises(StorageError):
        run_until_empty(context)
    assert house.look(the_check(house, video)).attempts == 0
    away.rename(house.storage.root)
    run_until_empty(context)
    assert house.is_complete(video)


def rendition_only(house: House) -> tuple[str, int]:
    video = house.video()
    house.change(the_check(house, video), state=JobState.DONE)
    return video, house.job(video, JobKind.RENDITION, 240)


def test_a_worker_that_is_told_to_end_hands_its_job_back_at_once(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    gate = Gate()
    plain_steps(rendition=gate)
    video, job_id = rendition_only(house)
    with in_thread(partial(run_until_empty, context)):
        assert gate.begun.wait(10)
        context.stopping.set()
    job = house.look(job_id)
    assert (job.state, job.attempts, job.worker) == (JobState.WAITING, 0, None)
    assert house.strays() == []
    assert house.renditions(video) == []


def test_deleting_a_video_ends_its_running_step(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    gate = Gate()
    plain_steps(rendition=gate)
    video, _ = rendition_only(house)
    with in_thread(partial(run_until_empty, context)):
        assert gate.begun.wait(10)
        house.change_video(video, deleted_at=now())
    assert house.renditions(video) == []
    assert house.strays() == []


@pytest.mark.on_mysql
def test_a_video_that_is_removed_under_its_step_leaves_nothing(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    gate = Gate()
    plain_steps(rendition=gate)
    video, _ = rendition_only(house)
    with in_thread(partial(run_until_empty, context)):
        assert gate.begun.wait(10)
        VideoStore(house.storage.root).drop_video(video)
        house.database.write(lambda session: session.delete(session.get_one(Video, video)))
    assert not (house.storage.root / video).exists()
    assert house.jobs() == []


@pytest.mark.on_mysql
def test_a_step_that_lost_its_job_publishes_nothing(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    def overtaken(step: JobRun) -> StepOutput:
        house.change(job_id, fence=9)
        return PLAIN[JobKind.RENDITION](step)

    plain_steps(rendition=overtaken)
    video, job_id = rendition_only(house)
    run_one(context)
    assert house.look(job_id).state is JobState.RUNNING
    assert house.renditions(video) == []
    assert not (house.storage.root / video / "hls").exists()
    assert house.strays() == []


@pytest.mark.on_mysql
def test_two_workers_on_one_job_publish_once(
    house: House, context: WorkerContext, plain_steps: Put
) -> None:
    """The first is slow, loses its lease, and comes to an end after the second."""
    slow = Gate()

    def step(given: JobRun) -> StepOutput:
        if not slow.begun.is_set():
            slow.begun.set()
            slow.open.wait(10)
            made = rendition(given, "240p")
            (given.folder / "240p.mp4").write_text("late")
            return made
        return PLAIN[JobKind.RENDITION](given)

    plain_steps(rendition=step)
    video, job_id = rendition_only(house)
    with in_thread(partial(run_one, context)):
        assert slow.begun.wait(10)
        jobs.expire(house.database, worker=context.name)
        run_until_empty(context)
        assert house.look(job_id).state is JobState.DONE
        slow.open.set()
    assert house.renditions(video) == ["240p"]
    assert (house.storage.root / video / "hls" / "240p.mp4").read_text() == "240p mp4"
    assert house.look(job_id).fence == 2
    assert house.strays() == []


def test_a_result_waits_for_a_database_that_is_away(
    house: House, context: WorkerContext, plain_steps: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    plain_steps(rendition=gate)
    video, job_id = rendition_only(house)
    real_run = Database._run
    away = threading.Event()
    tries: list[object] = []

    def run(database: Database, work: Callable[..., object], *, writes: bool) -> object:
        if away.is_set():
            if threading.current_thread().name != "lease":
                tries.append(work)
            raise DatabaseUnavailable("away")
        return real_run(database, work, writes=writes)

    monkeypatch.setattr(Database, "_run", run)
    with in_thread(partial(run_one, context)):
        assert gate.begun.wait(10)
        away.set()
        gate.open.set()
        wait_until(lambda: len(tries) >= 3, what="three tries")
        away.clear()
    assert house.look(job_id).state is JobState.DONE
    assert house.renditions(video) == ["240p"]


@pytest.mark.on_mysql
def test_a_commit_whose_answer_is_lost_counts_as_what_it_was(
    house: House, context: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = publishing.publish
    lost = []

    def publish(*args: Any, **options: Any) -> bool:
        published = real(*args, **options)
        if not lost:
            lost.append(published)
            raise DatabaseUnavailable("the answer to a commit was lost")
        return published

    monkeypatch.setattr(publishing, "publish", publish)
    video, job_id = rendition_only(house)
    run_one(context)
    assert lost
    job = house.look(job_id)
    assert (job.state, job.attempts) == (JobState.DONE, 1)
    assert house.renditions(video) == ["240p"]
    assert house.storage.has_published(video, "hls/240p.m3u8")


def test_files_of_an_attempt_that_died_while_publishing_are_replaced(
    house: House, context: WorkerContext
) -> None:
    video, _ = rendition_only(house)
    hls = house.storage.root / video / "hls"
    hls.mkdir()
    (hls / "240p.mp4").write_text("of the attempt that died")
    (house.storage.root / video / ".work-1-0").mkdir()
    run_until_empty(context)
    assert (hls / "240p.mp4").read_text() == "240p mp4"


def test_a_master_playlist_names_what_has_a_row_and_nothing_else(
    house: House, context: WorkerContext
) -> None:
    video, _ = rendition_only(house)
    hls = house.storage.root / video / "hls"
    hls.mkdir()
    shutil.copyfile(__file__, hls / "stray.m3u8")
    run_until_empty(context)
    master = (hls / "master.m3u8").read_text()
    assert [line for line in master.splitlines() if line.endswith(".m3u8")] == ["hls/240p.m3u8"]
