"""The service as programs: woken, killed, told to end, and left without its stores."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from common.job_queue import WAKE_KEY, wake_workers
from common.settings import CommonSettings
from db.engine import Database
from db.models import JobKind, JobState, now
from tests.conftest import clear
from tests.media import make, one_second
from tests.system.deployment import below
from tests.transcode_service.conftest import House, Service, Start, empty_volume, starting
from tests.waiting import wait_until

pytestmark = pytest.mark.needs_ffmpeg


def a_worker_listens(service: Service) -> bool:
    return "worker started" in service.log()


def encoding(house: House) -> int:
    """Add a job that takes many seconds, and return its id: a rendition larger than its source."""
    video = house.video(content=make("one-minute.mp4").read_bytes())
    [check] = house.jobs(video)
    house.change(check.id, state=JobState.DONE)
    return house.job(video, JobKind.RENDITION, 1080)


def encoders(service: Service) -> list[int]:
    """Return the processes of ffmpeg, waiting until there is one at work on a rendition."""

    def found() -> list[int]:
        if '"step begun"' not in service.log():
            return []  # looking for processes takes longer
        commands = below(service.process.pid)
        return [pid for pid, command in commands.items() if "ffmpeg" in command.partition(" ")[0]]

    wait_until(found, within=60, what=f"a rendition: {service.log()[-2000:]}")
    return found()


@pytest.fixture(scope="class")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="class")
def everybody(folder: Path, shared_database: Database, migrated: str) -> House:
    clear(shared_database, migrated)
    return House(shared_database, empty_volume(folder / "videos"))


@pytest.fixture(scope="class")
def service(
    everybody: House, shared_settings: CommonSettings, python: str, folder: Path
) -> Iterator[Service]:
    with starting(shared_settings, everybody.storage, python, folder) as start:
        service = start(HEARTBEAT_FILE=str(folder / "heartbeat"), TRANSCODE_THREADS="1")
        wait_until(lambda: a_worker_listens(service), within=30, what="the worker")
        yield service


class TestOneService:
    """What one service, which goes on, does with one video after the other."""

    @pytest.fixture
    def house(self, everybody: House, service: Service) -> Iterator[House]:
        """The house, in which nothing is left to be done afterwards."""
        yield everybody
        for job in everybody.jobs():
            if job.state is not JobState.DONE:
                everybody.change_video(job.video_id, deleted_at=now())
        for pid in service.pids("-hide_banner"):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: everybody.strays() == [], what="the end of the attempts")

    def test_it_says_that_it_lives(self, service: Service, folder: Path) -> None:
        wait_until((folder / "heartbeat").exists, within=30, what="a heartbeat")

    def test_a_woken_worker_completes_a_video(
        self, house: House, service: Service, redis: Redis
    ) -> None:
        video = house.video(content=one_second())
        assert wake_workers(redis)
        wait_until(lambda: house.is_complete(video), within=60, what=service.log())
        assert house.storage.has_published(video, "poster.jpg")
        assert house.storage.has_published(video, "hls/master.m3u8")
        wait_until(lambda: house.strays() == [], what="the end of the attempts")
        wait_until(lambda: redis.llen(WAKE_KEY) == 0, what="an empty queue")

    def test_an_emptied_redis_costs_no_job_and_no_worker(
        self, house: House, service: Service, redis: Redis
    ) -> None:
        before = service.log().count("step done")
        video = house.video(content=one_second())
        wait_until(lambda: service.log().count("step done") > before, within=60, what="a step")
        redis.flushall()
        wait_until(lambda: house.is_complete(video), within=60, what=service.log())
        redis.flushall()
        # Nobody is woken for this one.
        video = house.video(content=one_second())
        wait_until(lambda: house.is_complete(video), within=60, what=service.log())
        assert service.log().count("worker started") == 1

    def test_encoders_are_nice_and_no_more_than_the_workers(
        self, house: House, service: Service
    ) -> None:
        for _ in range(2):
            encoding(house)
        [encoder] = encoders(service)
        assert os.getpriority(os.PRIO_PROCESS, encoder) == max(10, os.nice(0))

    def test_a_killed_ffmpeg_fails_the_attempt_with_words(
        self, house: House, service: Service
    ) -> None:
        job_id = encoding(house)
        for pid in encoders(service):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: house.look(job_id).error, what="the sentence")
        job = house.look(job_id)
        assert (job.state, job.attempts) == (JobState.WAITING, 1)
        assert job.not_before is not None

    def test_a_killed_worker_takes_ffmpeg_along_and_another_goes_on_at_the_cost_of_an_attempt(
        self, house: House, service: Service
    ) -> None:
        job_id = encoding(house)
        lost = encoders(service)
        before = house.look(job_id)
        os.kill(service.wait_for("transcode_service.worker"), signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, lost)), what="the end of ffmpeg")
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


def test_sigterm_hands_the_job_back_and_ends_everything_in_seconds(
    house: House, start: Start
) -> None:
    job_id = encoding(house)
    service = start(TRANSCODE_THREADS="1")
    assert encoders(service)
    everybody = below(service.process.pid)
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


def test_killing_the_service_itself_ends_workers_and_ffmpeg(house: House, start: Start) -> None:
    encoding(house)
    service = start(TRANSCODE_THREADS="1")
    assert encoders(service)
    everybody = list(below(service.process.pid))
    service.process.kill()
    wait_until(lambda: not any(map(is_alive, everybody)), what="the end of all below it")


def test_without_redis_it_works_by_looking_at_the_database(house: House, start: Start) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        service = start(REDIS_URL=f"redis://127.0.0.1:{nobody.getsockname()[1]}/0")
        video = house.video(content=one_second())
        wait_until(lambda: house.is_complete(video), within=60, what=service.log())


def is_alive(pid: int) -> bool:
    """Tell whether a process is there and not only waiting to be buried."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
