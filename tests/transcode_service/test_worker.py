"""The service as programs: woken, killed, told to end, and left without its stores."""

import os
import signal
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from common.job_queue import WAKE_KEY, wake_workers
from db.models import JobState, now
from tests.media import cached, make, run_ffmpeg
from tests.system.deployment import below
from tests.transcode_service.conftest import House, Service, Start
from tests.waiting import wait_until

pytestmark = pytest.mark.needs_ffmpeg


@pytest.fixture(scope="session")
def short() -> bytes:
    """Two seconds of video, of which there is little to make."""
    return make("no-sound.mp4").read_bytes()


@pytest.fixture(scope="session")
def long() -> bytes:
    """A hundred seconds at 720p, so that its renditions take a while."""
    return cached("hundred-seconds.mp4", "ten seconds, 10 times", _write_long).read_bytes()


def _write_long(path: Path) -> None:
    pictures = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=10")
    encode = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50")
    once = path.with_name("once.mp4")
    for command in (
        (*pictures, *encode, once),
        ("-stream_loop", "9", "-i", f"file:{once}", "-c", "copy", path),
    ):
        run_ffmpeg("ffmpeg", *command)


def a_worker_listens(service: Service) -> bool:
    return "worker started" in service.log()


def begins_encoding(house: House, service: Service) -> int:
    """Wait until ffmpeg is at work on a rendition, and return the job's id."""

    def running() -> list[int]:
        return [
            job.id
            for job in house.jobs()
            if job.state is JobState.RUNNING and job.height and job.progress > 0
        ]

    wait_until(running, within=60, what=f"a rendition: {service.log()[-2000:]}")
    [job] = running()
    return job


def test_a_woken_worker_completes_a_video(
    house: House, start: Start, redis: Redis, short: bytes
) -> None:
    service = start()
    wait_until(lambda: a_worker_listens(service), within=30, what="the worker")
    video = house.video(content=short)
    assert wake_workers(redis)
    wait_until(lambda: house.is_complete(video), within=60, what=service.log())
    assert house.storage.has_published(video, "poster.jpg")
    assert house.storage.has_published(video, "hls/master.m3u8")
    wait_until(lambda: house.strays() == [], what="the end of the attempts")
    wait_until(lambda: redis.llen(WAKE_KEY) == 0, what="an empty queue")


def test_a_job_that_nobody_was_woken_for_is_found(house: House, start: Start, short: bytes) -> None:
    service = start()
    wait_until(lambda: a_worker_listens(service), within=30, what="the worker")
    video = house.video(content=short)
    wait_until(lambda: house.is_complete(video), within=60, what=service.log())


def test_sigterm_hands_the_job_back_and_ends_everything_in_seconds(
    house: House, start: Start, long: bytes
) -> None:
    house.video(content=long)
    service = start()
    job_id = begins_encoding(house, service)
    everybody = below(service.process.pid)
    assert any("ffmpeg" in command for command in everybody.values())
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(10) == 0
    job = house.look(job_id)
    assert (job.state, job.attempts, job.worker) == (JobState.WAITING, 0, None)
    wait_until(lambda: not any(is_alive(pid) for pid in everybody), what="the end of all")
    assert house.strays() == []


def test_sigterm_ends_a_service_whose_workers_wait(house: House, start: Start) -> None:
    service = start(TRANSCODE_WORKERS="2")
    wait_until(lambda: service.log().count("worker started") == 2, within=30, what="the workers")
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(10) == 0
    # They ended by themselves, rather than by SIGKILL.
    assert service.log().count("worker ended") == 2
    assert '"status"' not in service.log()


@pytest.mark.parametrize("victim", ["transcode_service.worker", "the service itself"])
def test_killing_a_parent_ends_ffmpeg(house: House, start: Start, long: bytes, victim: str) -> None:
    house.video(content=long)
    service = start()
    begins_encoding(house, service)
    encoders = service.pids("-hide_banner")
    assert encoders
    if victim == "the service itself":
        everybody = list(below(service.process.pid))
        service.process.kill()
        wait_until(lambda: not any(map(is_alive, everybody)), what="the end of all below it")
    else:
        os.kill(service.wait_for(victim), signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, encoders)), what="the end of ffmpeg")


def test_a_killed_worker_costs_one_attempt_and_another_goes_on(
    house: House, start: Start, long: bytes
) -> None:
    house.video(content=long)
    service = start()
    job_id = begins_encoding(house, service)
    before = house.look(job_id)
    for job in house.jobs():
        if job.state is JobState.WAITING:  # the next worker has nothing else to do
            house.change(job.id, not_before=now() + timedelta(hours=1))
    os.kill(service.wait_for("transcode_service.worker"), signal.SIGKILL)
    wait_until(
        lambda: (
            house.look(job_id).state is JobState.RUNNING
            and house.look(job_id).fence == before.fence + 1
        ),
        within=60,
        what=service.log(),
    )
    job = house.look(job_id)
    assert job.attempts == 2
    assert job.worker != before.worker
    wait_until(
        lambda: [fence for _, of, fence in house.strays() if of == job_id] == [job.fence],
        what="the folder of the second attempt alone",
    )


def test_a_killed_ffmpeg_fails_the_attempt_with_words(
    house: House, start: Start, long: bytes
) -> None:
    house.video(content=long)
    service = start()
    job_id = begins_encoding(house, service)
    for pid in service.pids("-hide_banner"):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: house.look(job_id).error, what="the sentence")
    job = house.look(job_id)
    assert (job.state, job.attempts) == (JobState.WAITING, 1)
    assert job.not_before is not None


def test_an_emptied_redis_costs_no_job_and_no_worker(
    house: House, start: Start, redis: Redis, short: bytes
) -> None:
    videos = [house.video(content=short) for _ in range(2)]
    service = start()
    wait_until(lambda: "step done" in service.log(), within=60, what=service.log())
    redis.flushall()
    wait_until(lambda: all(map(house.is_complete, videos)), within=60, what=service.log())
    redis.flushall()
    videos.append(house.video(content=short))
    wait_until(lambda: house.is_complete(videos[-1]), within=60, what=service.log())


def test_without_redis_it_works_by_looking_at_the_database(
    house: House, start: Start, short: bytes
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        service = start(REDIS_URL=f"redis://127.0.0.1:{nobody.getsockname()[1]}/0")
        video = house.video(content=short)
        wait_until(lambda: house.is_complete(video), within=60, what=service.log())


def test_encoders_are_nice_and_no_more_than_the_workers(
    house: House, start: Start, long: bytes
) -> None:
    for _ in range(2):
        house.video(content=long)
    service = start(TRANSCODE_WORKERS="1")
    begins_encoding(house, service)
    encoders = service.pids("-hide_banner")
    assert len(encoders) <= 1
    for pid in encoders:
        assert os.getpriority(os.PRIO_PROCESS, pid) == 10


def test_a_wrong_setting_ends_it_with_a_sentence(start: Start) -> None:
    service = start(TRANSCODE_WORKERS="many")
    assert service.process.wait(30) == 1
    assert service.log().startswith("TRANSCODE_WORKERS is 'many'")


def test_it_says_that_it_lives(start: Start, tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    start(HEARTBEAT_FILE=str(heartbeat))
    wait_until(heartbeat.exists, within=30, what="a heartbeat")


def is_alive(pid: int) -> bool:
    """Tell whether a process is there and not only waiting to be buried."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
