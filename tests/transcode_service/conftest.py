"""What the tests of processing share: rows, a volume, and steps that take no ffmpeg."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select, update

from common.ids import new_id
from common.settings import CommonSettings
from common.storage import RESERVED_SPACE, AttemptStore
from common.storage.scratch import Scratch
from common.stores.video_cache import VideoCache
from db.engine import Database
from db.models import Job, JobKind, JobState, Rendition, Role, User, Video
from tests.conftest import ROOT
from tests.system.deployment import below
from tests.waiting import wait_until
from transcode_service import run_job
from transcode_service.media.source_info import RenditionInfo, SandboxLimits
from transcode_service.steps import JobRun, StepOutput
from transcode_service.worker_context import WorkerContext

LADDER = (240, 360)


@dataclass
class House:
    """A database, a volume, and the people and videos that a test puts there."""

    database: Database
    storage: AttemptStore
    _people: dict[str, int] = field(default_factory=dict)

    def person(self, name: str) -> int:
        """Return the id of somebody's account, making it the first time."""
        if name not in self._people:
            user = User(name=name, name_key=name, password_hash="-", role=Role.UPLOADER)
            self.database.write(lambda session: session.add(user))
            self._people[name] = user.id
        return self._people[name]

    def video(self, owner: str = "alice", content: bytes = b"film") -> str:
        """Add a video with its bytes and its first job, and return its id."""
        video_id = new_id()
        folder = self.storage.root / video_id
        folder.mkdir()
        (folder / "original.mp4").write_bytes(content)
        video = Video(
            id=video_id,
            owner_id=self.person(owner),
            title="A video",
            size=len(content),
            duration_ms=12_000,
            width=640,
            height=360,
            video_codec="h264",
        )
        self.database.write(lambda session: session.add(video))
        self.job(video_id, JobKind.CHECK)
        return video_id

    def job(self, video_id: str, kind: JobKind, height: int = 0, **values: object) -> int:
        """Add a job, and return its id."""
        job = Job(video_id=video_id, kind=kind, height=height, **values)
        self.database.write(lambda session: session.add(job))
        return job.id

    def jobs(self, video_id: str | None = None) -> list[Job]:
        """Return the jobs of a video, or of all."""
        wanted = select(Job).order_by(Job.id)
        if video_id is not None:
            wanted = wanted.where(Job.video_id == video_id)
        return self.database.read(lambda session: list(session.scalars(wanted)))

    def look(self, job_id: int) -> Job:
        """Return a job as it is now."""
        return self.database.read(lambda session: session.get_one(Job, job_id))

    def change(self, job_id: int, **values: object) -> None:
        """Set values of a job."""
        wanted = update(Job).where(Job.id == job_id).values(values)
        self.database.write(lambda session: session.execute(wanted))

    def change_video(self, video_id: str, **values: object) -> None:
        """Set values of a video."""
        wanted = update(Video).where(Video.id == video_id).values(values)
        self.database.write(lambda session: session.execute(wanted))

    def renditions(self, video_id: str) -> list[str]:
        """Return the names of a video's published renditions."""
        wanted = select(Rendition.name).where(Rendition.video_id == video_id)
        return sorted(self.database.read(lambda session: list(session.scalars(wanted))))

    def is_complete(self, video_id: str) -> bool:
        """Tell whether every step of a video is done."""
        jobs = self.jobs(video_id)
        return len(jobs) > 1 and all(job.state is JobState.DONE for job in jobs)

    def strays(self) -> list[tuple[str, int, int]]:
        """Return the folders of attempts."""
        return list(self.storage.list_attempts())


class Service:
    """`python -m transcode_service` with the test's stores."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process = process
        self._log = log

    def log(self) -> str:
        """Return what it said so far."""
        return self._log.read_text(encoding="utf-8")

    def pids(self, part: str) -> list[int]:
        """Return the processes below it whose command lines name something."""
        return [pid for pid, command in below(self.process.pid).items() if part in command]

    def wait_for(self, part: str) -> int:
        """Return a process below it whose command line names something, once it is there."""
        wait_until(lambda: self.pids(part), within=30, what=part)
        found = self.pids(part)
        return found[0] if found else self.wait_for(part)


Start = Callable[..., Service]


@contextmanager
def starting(
    common: CommonSettings, storage: AttemptStore, python: str, folder: Path
) -> Iterator[Start]:
    """Give what starts transcode services on those stores, and end them afterwards.

    :param folder: for their logs.
    """
    started: list[Service] = []

    def begin(**settings: str) -> Service:
        environ = {
            "DATABASE_URL": common.database_url,
            "REDIS_URL": common.redis_url,
            "VIDEOS_DIR": str(storage.root),
            **settings,
        }
        log = folder / f"service-{len(started)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [python, "-m", "transcode_service"],
                cwd=ROOT,
                env=os.environ | environ,
                stdout=file,
                stderr=file,
                text=True,
            )
        service = Service(process, log)
        started.append(service)
        return service

    yield begin
    for service in started:
        service.process.terminate()
        try:
            service.process.wait(20)
        finally:
            service.process.kill()
            service.process.wait()
        assert "Traceback" not in service.log(), service.log()[-3000:]


@pytest.fixture
def start(
    common_settings: CommonSettings, storage: AttemptStore, python: str, tmp_path: Path
) -> Iterator[Start]:
    """Starts transcode services, and ends them."""
    with starting(common_settings, storage, python, tmp_path) as begin:
        yield begin


@pytest.fixture
def storage(tmp_path: Path) -> AttemptStore:
    """An empty volume."""
    return empty_volume(tmp_path / "videos")


def empty_volume(root: Path) -> AttemptStore:
    """Make a volume."""
    root.mkdir()
    storage = AttemptStore(root)
    storage.prepare()
    return storage


@pytest.fixture
def house(database: Database, storage: AttemptStore) -> House:
    """An empty house."""
    return House(database, storage)


@pytest.fixture
def context(house: House, redis: Redis) -> Iterator[WorkerContext]:
    """A worker's things, in this process."""
    context = WorkerContext(
        database=house.database,
        redis=redis,
        videos=VideoCache(redis),
        storage=house.storage,
        scratch=Scratch(house.storage.root / ".scratch", 1 << 30),
        limits=SandboxLimits(reserve=RESERVED_SPACE),
        name="bench-0",
        stopping=threading.Event(),
    )
    yield context
    context.stopping.set()


def rendition(step: JobRun, name: str, kind: str = "video") -> RenditionInfo:
    """Write what stands for a rendition into an attempt's folder."""
    for ending in ("mp4", "m3u8"):
        (step.folder / f"{name}.{ending}").write_text(f"{name} {ending}")
    (step.folder / f"{name}-iframes.m3u8").write_text("#EXTINF:1,\n#EXT-X-BYTERANGE:10@0\n")
    height = step.height or 360
    is_video = kind == "video"
    return RenditionInfo(
        name=name,
        kind=kind,
        codecs="avc1.42c01e" if is_video else "mp4a.40.2",
        bandwidth=1000 * height,
        average_bandwidth=900 * height,
        size=10,
        width=height * 16 // 9 if is_video else None,
        height=height if is_video else None,
        frame_rate=25.0 if is_video else None,
    )


def _check(_step: JobRun) -> StepOutput:
    others = [(JobKind.THUMBNAILS, 0), (JobKind.REMUX, 0), (JobKind.AUDIO, 0)]
    return StepOutput(steps=(*others, *((JobKind.RENDITION, height) for height in LADDER)))


def _pictures(step: JobRun) -> StepOutput:
    (step.folder / "poster.jpg").write_text("poster")
    return StepOutput(thumbnails=("poster.jpg",))


def _poster(step: JobRun) -> StepOutput:
    chosen = step.poster
    (step.folder / "poster.jpg").write_text(f"chosen at {chosen.at_ms if chosen else None}")
    return StepOutput(poster="poster.jpg")


PLAIN: dict[JobKind, Callable[[JobRun], StepOutput]] = {
    JobKind.POSTER: _poster,
    JobKind.CHECK: _check,
    JobKind.THUMBNAILS: _pictures,
    JobKind.REMUX: lambda step: StepOutput(renditions=(rendition(step, "source"),)),
    JobKind.AUDIO: lambda step: StepOutput(renditions=(rendition(step, "audio-1", "audio"),)),
    JobKind.RENDITION: lambda step: StepOutput(renditions=(rendition(step, f"{step.height}p"),)),
}


@pytest.fixture
def plain_steps(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put steps that write a few bytes in the place of those that run ffmpeg."""

    def put(**others: Callable[[JobRun], StepOutput]) -> None:
        made = PLAIN | {JobKind(kind): step for kind, step in others.items()}
        monkeypatch.setattr(run_job, "run_step", lambda kind, run: made[kind](run))

    put()
    # What stands for sound has no channels to read.
    monkeypatch.setattr("transcode_service.media.playlists.read_channels", lambda _start: 2)
    return put
