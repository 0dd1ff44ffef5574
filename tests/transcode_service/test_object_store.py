"""Processing with an object store: fetched from it, published to it, and without it for a while."""

import hashlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from common.storage import AttemptStore, s3
from common.storage.errors import StoreRefused, StoreUnavailable
from common.storage.object_files import ObjectFiles
from common.storage.objects import current_objects, make_current, removable
from common.storage.s3 import S3Store, StoreAnswer
from common.storage.scratch import Scratch
from common.storage.store_settings import Store
from db.models import JobKind, JobState, ObjectState, PosterChoice, StoredObject, now
from tests.faulty_store import Fault, faulty
from tests.media import make
from tests.object_stores import ObjectStore, seaweedfs
from tests.transcode_service.conftest import LADDER, PLAIN, House, Start
from tests.waiting import wait_until
from transcode_service import finish_attempt, jobs, leases, publishing
from transcode_service.published import read_published
from transcode_service.reconciler import Reconciler
from transcode_service.run_job import run_one, run_until_empty
from transcode_service.steps import JobRun, StepOutput
from transcode_service.worker_context import WorkerContext

Put = Callable[..., None]
MASTER = "hls/master.m3u8"


class Killed(BaseException):
    """Stands for SIGKILL: nothing that the code does at its end is done."""


class Bucket(S3Store):
    """A bucket whose answers a test may replace by errors.

    :ivar error: what requests raise, or None.
    :ivar errors_left: how many requests raise it.
    :ivar on_error: called before one does.
    :ivar on_get: called before each read.
    """

    error: Exception | None = None
    errors_left = 1_000_000
    on_error: Callable[[], None] | None = None
    on_get: Callable[[], None] | None = None

    def put(self, key: str, content: bytes, **options: Any) -> None:
        """Write an object, or raise the error."""
        self._fail()
        super().put(key, content, **options)

    def get(self, key: str, **options: Any) -> StoreAnswer:
        """Read an object, or raise the error."""
        self._fail()
        if self.on_get:
            self.on_get()
        return super().get(key, **options)

    def delete(self, key: str) -> None:
        """Delete an object, or raise the error."""
        self._fail()
        super().delete(key)

    def _fail(self) -> None:
        if self.error and self.errors_left:
            self.errors_left -= 1
            if self.on_error:
                self.on_error()
            raise self.error


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finish_attempt, "_PATIENCE_LIMIT", 0.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as store:
        yield store


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A part of the bucket that no other test has."""
    return hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16] + "/"


@pytest.fixture
def bucket(server: ObjectStore, prefix: str) -> Bucket:
    return Bucket(replace(server.settings, prefix=prefix))


@pytest.fixture
def objects(house: House, bucket: Bucket) -> ObjectFiles:
    return ObjectFiles(house.database, bucket)


@pytest.fixture
def shared(context: WorkerContext, objects: ObjectFiles) -> WorkerContext:
    """A worker on the shared volume that publishes to the object store."""
    return replace(context, objects=objects, store=Store.S3)


@pytest.fixture
def away(shared: WorkerContext, tmp_path: Path) -> WorkerContext:
    """The same on a machine that has no shared volume."""
    root = tmp_path / "machine"
    root.mkdir()
    scratch = Scratch(root / ".scratch", 1 << 30)
    return replace(shared, storage=AttemptStore(root), scratch=scratch)


def move(house: House, objects: ObjectFiles, video: str) -> None:
    """Move all files of a video to the object store."""
    folder = house.storage.root / video
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        name = str(path.relative_to(folder))
        made = objects.write(path, video_id=video, name=name)
        values = {"object_id": made.id, "size": made.size, "sha256": made.sha256}
        assert house.database.write(lambda session, values=values: make_current(session, **values))
    shutil.rmtree(folder)


def keys(house: House, video: str) -> set[str]:
    return {found.key for found in current_objects(house.database, video_id=video).values()}


def clean(house: House, objects: ObjectFiles) -> None:
    """Remove what nobody needs, as is done some time later."""
    unused = update(StoredObject).where(StoredObject.state != ObjectState.CURRENT)
    long_ago = unused.values(changed_at=now() - timedelta(days=1))
    house.database.write(lambda session: session.execute(long_ago))
    for stray in removable(house.database, grace=timedelta(hours=1), limit=100):
        assert objects.remove(stray)


def states(house: House, name: str) -> list[ObjectState]:
    """Return the states of all objects of a name, the oldest first."""
    wanted = select(StoredObject.state).where(StoredObject.name == name).order_by(StoredObject.id)
    return house.database.read(lambda session: list(session.scalars(wanted)))


def content(house: House, objects: ObjectFiles, video: str, name: str) -> bytes:
    """Return a current object's bytes, which are checked."""
    return objects.read(current_objects(house.database, video_id=video)[name])


def playlists(master: str) -> list[str]:
    return [line for line in master.splitlines() if line.endswith(".m3u8")]


def try_again(house: House) -> None:
    for job in house.jobs():
        house.change(job.id, not_before=None)


def rendition_only(house: House, height: int = 240) -> tuple[str, int]:
    video = house.video()
    [check] = house.jobs(video)
    house.change(check.id, state=JobState.DONE)
    return video, house.job(video, JobKind.RENDITION, height)


@pytest.mark.needs_ffmpeg
def test_a_video_is_processed_by_a_worker_without_a_shared_volume(
    house: House, objects: ObjectFiles, away: WorkerContext, bucket: Bucket
) -> None:
    film = make("two-heights.mp4").read_bytes()
    video = house.video(content=film)
    move(house, objects, video)

    run_until_empty(away)

    assert house.is_complete(video), [(job.kind, job.error, job.log_tail) for job in house.jobs()]
    current = current_objects(house.database, video_id=video)
    master = content(house, objects, video, MASTER).decode()
    names = house.renditions(video)
    assert sorted(playlists(master)) == sorted(
        f"hls/{name}.m3u8" for name in names if not name.startswith("audio")
    )
    assert master.count("#EXT-X-I-FRAME-STREAM-INF") == len(playlists(master))
    for name in names:
        assert f"hls/{name}.m3u8" in master
        assert {f"hls/{name}.m3u8", f"hls/{name}.mp4"} <= current.keys()
    assert {"poster.jpg", "facts.json", "original.mp4"} <= current.keys()
    for name in current:
        assert content(house, objects, video, name)
    clean(house, objects)
    assert set(bucket.list_keys("")) == keys(house, video)
    left = [path for path in away.storage.root.rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in left if path.suffix == ".mp4"] == [film]
    assert [path.name for path in away.storage.root.iterdir()] == [".scratch"]
    assert not (house.storage.root / video).exists()


@pytest.mark.needs_ffmpeg
def test_a_killed_program_leaves_nothing_wrong_in_the_store(
    house: House,
    objects: ObjectFiles,
    server: ObjectStore,
    prefix: str,
    start: Start,
    tmp_path: Path,
) -> None:
    video = house.video(content=make("two-heights.mp4").read_bytes())
    move(house, objects, video)
    (tmp_path / "machine").mkdir()
    given = server.environ | {"S3_PREFIX": prefix, "VIDEOS_DIR": str(tmp_path / "machine")}
    service = start(STORE="s3", **given)
    names = select(StoredObject.name).where(StoredObject.name.like("hls/%"))
    wait_until(
        lambda: house.database.read(lambda session: session.scalar(names)),
        within=60,
        what=service.log(),
    )
    os.kill(service.wait_for("transcode_service.worker"), signal.SIGKILL)

    wait_until(lambda: house.is_complete(video), within=60, what=service.log())
    for name in current_objects(house.database, video_id=video):
        assert content(house, objects, video, name)
    clean(house, objects)
    assert set(objects.store.list_keys("")) == keys(house, video)


@pytest.mark.usefixtures("plain_steps")
class TestPublishing:
    """Files become objects, and back."""

    @pytest.mark.on_mysql
    def test_what_a_worker_on_the_volume_publishes_is_in_the_store(
        self, house: House, objects: ObjectFiles, shared: WorkerContext, bucket: Bucket
    ) -> None:
        video = house.video()
        run_until_empty(shared)
        assert house.is_complete(video)
        master = content(house, objects, video, MASTER).decode()
        expected = {f"hls/{name}.m3u8" for name in ("source", *(f"{h}p" for h in LADDER))}
        assert set(playlists(master)) == expected
        assert content(house, objects, video, "hls/240p.mp4") == b"240p mp4"
        assert [path.name for path in (house.storage.root / video).iterdir()] == ["original.mp4"]
        assert set(bucket.list_keys("")) >= keys(house, video)
        assert states(house, MASTER)[-1] is ObjectState.CURRENT

    @pytest.mark.on_mysql
    def test_a_poster_that_is_published_on_the_disk_replaces_that_in_the_store(
        self, house: House, objects: ObjectFiles, context: WorkerContext
    ) -> None:
        video = house.video()
        run_until_empty(context)
        move(house, objects, video)
        (house.storage.root / video).mkdir()
        choice = PosterChoice(video_id=video, at_ms=7000)
        house.database.write(lambda session: session.add(choice))
        house.job(video, JobKind.POSTER)

        run_until_empty(replace(context, objects=objects))

        assert (house.storage.root / video / "poster.jpg").read_text() == "chosen at 7000"
        current = current_objects(house.database, video_id=video)
        assert "poster.jpg" not in current
        assert MASTER in current

    def test_a_poster_that_was_chosen_meanwhile_stays(
        self, house: House, objects: ObjectFiles, shared: WorkerContext
    ) -> None:
        video = house.video()
        house.change_video(video, poster_version=1)
        run_until_empty(shared)
        assert house.is_complete(video)
        assert states(house, "poster.jpg") == [ObjectState.RETIRED]

    @pytest.mark.on_mysql
    @pytest.mark.parametrize("store", Store)
    def test_a_rendition_that_is_published_meanwhile_is_in_the_master_playlist_too(
        self,
        house: House,
        objects: ObjectFiles,
        shared: WorkerContext,
        bucket: Bucket,
        monkeypatch: pytest.MonkeyPatch,
        store: Store,
    ) -> None:
        context = replace(shared, store=store)
        video, _ = rendition_only(house)
        house.job(video, JobKind.RENDITION, 360)
        real = publishing.publish
        calls: list[object] = []

        def publish(*args: Any, **options: Any) -> bool:
            calls.append(options)
            if len(calls) == 1:
                assert run_one(replace(context, name="another"))
            return real(*args, **options)

        monkeypatch.setattr(publishing, "publish", publish)
        run_one(context)

        assert house.renditions(video) == ["240p", "360p"]
        master = read_published(replace(context, store=store), video, MASTER).decode()
        assert playlists(master) == ["hls/240p.m3u8", "hls/360p.m3u8"]
        assert len(calls) == 3
        assert states(house, MASTER).count(ObjectState.WRITING) == 0
        clean(house, objects)
        assert set(bucket.list_keys("")) == keys(house, video)

    @pytest.mark.parametrize("store", Store)
    def test_the_cached_keys_of_a_video_are_out_of_use_while_they_change(
        self,
        house: House,
        shared: WorkerContext,
        monkeypatch: pytest.MonkeyPatch,
        store: Store,
    ) -> None:
        video, _ = rendition_only(house)
        real = publishing.publish
        marked: list[bool] = []

        def publish(*args: Any, **options: Any) -> bool:
            marked.append(bool(shared.redis.exists(f"video:{video}")))
            return real(*args, **options)

        monkeypatch.setattr(publishing, "publish", publish)
        run_one(replace(shared, store=store))
        assert marked == [True]
        assert not shared.redis.exists(f"video:{video}")

    def test_a_step_that_lost_its_job_leaves_no_object(
        self, house: House, shared: WorkerContext, bucket: Bucket, plain_steps: Put
    ) -> None:
        def overtaken(step: JobRun) -> StepOutput:
            house.change(job, fence=9)
            return PLAIN[JobKind.RENDITION](step)

        plain_steps(rendition=overtaken)
        video, job = rendition_only(house)
        run_one(shared)
        assert house.renditions(video) == []
        assert list(bucket.list_keys("")) == []
        assert house.database.read(lambda session: session.scalar(select(StoredObject))) is None

    @pytest.mark.on_mysql
    def test_a_kill_between_writing_and_publishing_leaves_no_wrong_row(
        self,
        house: House,
        objects: ObjectFiles,
        shared: WorkerContext,
        bucket: Bucket,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def kill(*_args: object, **_options: object) -> bool:
            raise Killed

        video, job = rendition_only(house)
        with monkeypatch.context() as patch:
            patch.setattr(publishing, "publish", kill)
            patch.setattr(finish_attempt, "_remove", lambda *_given: None)
            with pytest.raises(Killed):
                run_one(shared)
        assert current_objects(house.database, video_id=video) == {}
        written = set(bucket.list_keys(""))
        assert len(written) == 4

        jobs.expire(house.database, worker=shared.name)
        run_until_empty(shared)
        assert house.look(job).state is JobState.DONE
        assert content(house, objects, video, "hls/240p.mp4") == b"240p mp4"
        assert not written & keys(house, video)

        clean(house, objects)
        assert set(bucket.list_keys("")) == keys(house, video)

    def test_a_lost_master_playlist_is_written_again(
        self, house: House, objects: ObjectFiles, away: WorkerContext, plain_steps: Put
    ) -> None:
        video = house.video()
        run_until_empty(replace(away, storage=house.storage))
        before = content(house, objects, video, MASTER)
        lost = update(StoredObject).where(StoredObject.name == MASTER)
        values = {"state": ObjectState.RETIRED, "is_current": None}
        house.database.write(lambda session: session.execute(lost.values(values)))
        Reconciler(away, sweep_every=0).reconcile()
        assert content(house, objects, video, MASTER) == before


@pytest.mark.usefixtures("plain_steps")
class TestFaults:
    """Whatever the store does, no job fails by it."""

    def test_a_store_that_is_away_for_a_moment_costs_no_step(
        self, house: House, shared: WorkerContext, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(finish_attempt, "_RETRY_DELAY", 0.01)
        monkeypatch.setattr(finish_attempt, "_PATIENCE_LIMIT", 30.0)
        video, job = rendition_only(house)
        bucket.error = StoreUnavailable("SlowDown: later")
        bucket.errors_left = 5
        run_until_empty(shared)
        assert (house.look(job).state, house.look(job).fence) == (JobState.DONE, 1)
        assert house.renditions(video) == ["240p"]

    def test_a_worker_that_waits_for_the_store_ends_when_it_is_told_to(
        self, house: House, shared: WorkerContext, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(finish_attempt, "_PATIENCE_LIMIT", 30.0)
        _, job = rendition_only(house)
        bucket.error = StoreUnavailable("SlowDown: later")
        bucket.on_error = shared.stopping.set
        run_until_empty(shared)
        after = house.look(job)
        assert (after.state, after.attempts, after.error) == (JobState.WAITING, 0, None)

    @pytest.mark.parametrize(
        ("error", "event"),
        [
            (StoreUnavailable("SlowDown: later"), "the object store is unavailable"),
            (StoreRefused("AccessDenied", "no"), "the object store refuses"),
        ],
    )
    def test_a_job_waits_for_the_store(
        self, house: House, shared: WorkerContext, bucket: Bucket, error: Exception, event: str
    ) -> None:
        video = house.video()
        bucket.error = error
        with capture_logs() as logs:
            run_one(shared)
            run_one(shared)
        [thumbnails] = [job for job in house.jobs() if job.error]
        assert (thumbnails.state, thumbnails.attempts) == (JobState.WAITING, 0)
        assert thumbnails.error == (
            "The object store cannot be used now. Processing continues when it can."
        )
        [line] = [line for line in logs if line["event"] == event]
        assert line.get("code") == getattr(error, "code", None)
        assert house.strays() == []

        bucket.error = None
        try_again(house)
        run_until_empty(shared)
        assert house.is_complete(video)

    def test_a_job_waits_while_its_original_cannot_be_fetched(
        self, house: House, objects: ObjectFiles, away: WorkerContext, bucket: Bucket,
        plain_steps: Put,
    ) -> None:  # fmt: skip
        plain_steps(check=reading)
        video = house.video()
        move(house, objects, video)
        [key] = keys(house, video)
        bucket.put(key, b"mold")
        run_until_empty(away)
        [check] = house.jobs()
        assert (check.state, check.attempts) == (JobState.WAITING, 0)
        bucket.put(key, b"film")
        try_again(house)
        run_until_empty(away)
        assert house.is_complete(video)

    @pytest.mark.parametrize("fault", Fault)
    def test_a_job_waits_while_a_fault_spoils_what_it_fetches(
        self, house: House, objects: ObjectFiles, away: WorkerContext, bucket: Bucket,
        server: ObjectStore, prefix: str, plain_steps: Put, monkeypatch: pytest.MonkeyPatch,
        fault: Fault,
    ) -> None:  # fmt: skip
        plain_steps(check=reading)
        video = house.video()
        move(house, objects, video)
        monkeypatch.setattr(s3, "_READ_TIMEOUT", 0.5)
        monkeypatch.setattr(s3, "_ATTEMPTS", 1)
        with faulty(replace(server.settings, prefix=prefix)) as proxy:
            through = ObjectFiles(house.database, S3Store(proxy.settings))
            proxy.fault = fault
            run_until_empty(replace(away, objects=through))
            assert proxy.spoilt == 1
        [check] = house.jobs()
        assert (check.state, check.attempts) == (JobState.WAITING, 0)
        assert check.error == (
            "The object store cannot be used now. Processing continues when it can."
        )
        assert list(away.storage.root.rglob("*.mp4*")) == []
        try_again(house)
        run_until_empty(away)
        assert house.is_complete(video)

    def test_an_original_that_may_still_come_is_waited_for(
        self, house: House, objects: ObjectFiles, away: WorkerContext, plain_steps: Put
    ) -> None:
        plain_steps(check=reading)
        video = house.video()
        run_until_empty(away)
        [check] = house.jobs()
        assert (check.state, check.attempts) == (JobState.WAITING, 0)
        assert check.error == (
            "The file of this video is not in the object store yet."
            " Processing continues when it is there."
        )
        move(house, objects, video)
        try_again(house)
        run_until_empty(away)
        assert house.is_complete(video)

    def test_a_rendition_waits_for_the_others_to_be_in_the_store(
        self, house: House, context: WorkerContext, away: WorkerContext, bucket: Bucket
    ) -> None:
        video, _ = rendition_only(house)
        run_until_empty(context)
        job = house.job(video, JobKind.RENDITION, 360)
        run_until_empty(away)
        assert (house.look(job).state, house.look(job).attempts) == (JobState.WAITING, 0)
        assert list(bucket.list_keys("")) == []

    def test_an_original_that_is_lost_from_the_volume_fails(
        self, house: House, shared: WorkerContext, plain_steps: Put
    ) -> None:
        plain_steps(check=reading)
        video = house.video()
        (house.storage.root / video / "original.mp4").unlink()
        run_one(shared)
        [check] = house.jobs()
        assert (check.error, check.attempts) == ("The file of this video is not there.", 1)

    def test_a_store_that_the_settings_do_not_name_any_more_is_waited_for(
        self, house: House, objects: ObjectFiles, context: WorkerContext, plain_steps: Put
    ) -> None:
        plain_steps(check=reading)
        video = house.video()
        move(house, objects, video)
        (house.storage.root / video).mkdir()
        with capture_logs() as logs:
            run_until_empty(context)
        [check] = house.jobs()
        assert (check.state, check.attempts) == (JobState.WAITING, 0)
        assert any("S3_BUCKET" in str(line.get("detail")) for line in logs)

    def test_a_worker_that_is_told_to_end_stops_fetching(
        self, house: House, objects: ObjectFiles, away: WorkerContext, bucket: Bucket,
        plain_steps: Put,
    ) -> None:  # fmt: skip
        plain_steps(check=reading)
        video = house.video()
        move(house, objects, video)
        bucket.on_get = away.stopping.set
        run_until_empty(away)
        [check] = house.jobs()
        assert (check.state, check.attempts, check.error) == (JobState.WAITING, 0, None)
        assert list(away.storage.root.rglob("*.mp4*")) == []

    def test_the_progress_of_fetching_is_shown(
        self,
        house: House,
        objects: ObjectFiles,
        away: WorkerContext,
        bucket: Bucket,
        plain_steps: Put,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(leases, "_LOOK", 0.02)
        plain_steps(check=reading)
        video = house.video()
        move(house, objects, video)
        monkeypatch.setattr("common.storage.object_files._PIECE", 1)
        [check] = house.jobs()
        reads: list[float] = []

        def look() -> None:
            if reads:
                wait_until(lambda: house.look(check.id).progress > 0, what="progress")
            reads.append(house.look(check.id).progress)

        bucket.on_get = look
        run_one(away)
        assert len(reads) == len(b"film")
        assert 0 < reads[-1] < 0.1

    def test_an_original_may_be_moved_while_it_is_read(
        self, house: House, shared: WorkerContext, plain_steps: Put
    ) -> None:
        def moved(step: JobRun) -> StepOutput:
            source = step.source
            (house.storage.root / video / "original.mp4").unlink()
            assert source.read_bytes() == b"film"
            return StepOutput()

        plain_steps(check=moved)
        video = house.video()
        run_one(shared)
        [check] = house.jobs()
        assert check.state is JobState.DONE, check.error


def reading(step: JobRun) -> StepOutput:
    """Read the original, as every check does."""
    assert step.source.read_bytes() == b"film"
    return PLAIN[JobKind.CHECK](step)
