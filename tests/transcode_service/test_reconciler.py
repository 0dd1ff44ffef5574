"""The reconciler: what was lost between rows, queue and disk is found again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from common.duty import Duty
from common.job_queue import WAKE_KEY
from common.storage import AttemptStore, StorageError
from db.engine import Database, DatabaseUnavailable
from db.models import JobState, now
from tests.transcode_service.conftest import House
from transcode_service import jobs
from transcode_service.reconciler import Reconciler
from transcode_service.run_job import run_until_empty
from transcode_service.worker_context import WorkerContext

SECOND = timedelta(seconds=1)


@pytest.fixture
def reconciler(context: WorkerContext) -> Reconciler:
    return Reconciler(context, sweep_every=0)


def begin(house: House) -> jobs.Claim:
    claim = jobs.claim(house.database, worker="gone")
    assert claim is not None
    return claim


@pytest.mark.on_mysql
def test_a_job_whose_worker_died_is_brought_back_and_somebody_woken(
    house: House, reconciler: Reconciler, redis: Redis
) -> None:
    house.video()
    claim = begin(house)
    reconciler.reconcile()
    assert house.look(claim.job_id).state is JobState.RUNNING
    house.change(claim.job_id, leased_until=now() - SECOND)
    reconciler.reconcile()
    assert house.look(claim.job_id).state is JobState.WAITING
    assert redis.llen(WAKE_KEY) == 1


def test_without_redis_the_rows_are_brought_back_all_the_same(
    house: House, context: WorkerContext, tmp_path: object
) -> None:
    away = WorkerContext(**{**vars(context), "redis": Redis.from_url("redis://127.0.0.1:9/0")})
    house.video()
    claim = begin(house)
    house.change(claim.job_id, leased_until=now() - SECOND)
    Reconciler(away).reconcile()
    assert house.look(claim.job_id).state is JobState.WAITING


@pytest.mark.on_mysql
def test_after_the_database_was_away_workers_get_time_to_renew_their_leases(
    house: House, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.video()
    claim = begin(house)
    house.change(claim.job_id, leased_until=now() - SECOND)
    with monkeypatch.context() as patch:

        def away(_database: Database, *_args: object, **_options: object) -> None:
            raise DatabaseUnavailable("away")

        patch.setattr(Database, "_run", away)
        with pytest.raises(DatabaseUnavailable):
            reconciler.reconcile()
    reconciler.reconcile()
    assert house.look(claim.job_id).state is JobState.RUNNING


@pytest.mark.on_mysql
def test_folders_of_attempts_that_nobody_works_on_are_removed(
    house: House, reconciler: Reconciler
) -> None:
    video = house.video()
    claim = begin(house)
    for job, fence in ((claim.job_id, claim.fence), (claim.job_id, 0), (claim.job_id + 1, 1)):
        folder = house.storage.root / video / f".work-{job}-{fence}"
        folder.mkdir()
        (folder / "half.mp4").write_text("half")
    (house.storage.root / video / ".work-like-this").mkdir()
    reconciler.reconcile()
    assert (video, claim.job_id, claim.fence) in house.strays()
    assert (video, claim.job_id + 1, 1) not in house.strays()
    house.change(claim.job_id, leased_until=now() - SECOND)
    reconciler.reconcile()
    assert house.strays() == []
    assert (house.storage.root / video / ".work-like-this").is_dir()
    assert (house.storage.root / video / "original.mp4").is_file()


@pytest.mark.usefixtures("plain_steps")
def test_a_lost_master_playlist_is_written_again(
    house: House, context: WorkerContext, reconciler: Reconciler
) -> None:
    video = house.video()
    run_until_empty(context)
    master = house.storage.root / video / "hls" / "master.m3u8"
    before = master.read_text()
    master.unlink()
    reconciler.reconcile()
    assert master.read_text() == before


@pytest.mark.on_mysql
@pytest.mark.usefixtures("plain_steps")
def test_one_of_several_restores_master_playlists(
    house: House, reconciler: Reconciler, context: WorkerContext
) -> None:
    reconciler.reconcile()
    video = house.video()
    run_until_empty(context)
    master = house.storage.root / video / "hls" / "master.m3u8"
    master.unlink()
    stray = house.storage.root / video / ".work-98-1"
    stray.mkdir()
    another = replace(context, name="another")

    Reconciler(another, sweep_every=0).reconcile()

    assert not master.exists()
    assert not stray.exists()  # each looks after what it can see
    reconciler.release()
    Reconciler(another, sweep_every=0).reconcile()
    assert master.exists()


@pytest.mark.usefixtures("plain_steps")
def test_restoring_ends_when_another_process_has_taken_over(
    house: House,
    context: WorkerContext,
    reconciler: Reconciler,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    video = house.video()
    run_until_empty(context)
    master = house.storage.root / video / "hls" / "master.m3u8"
    master.unlink()
    answers = iter((True, False))
    monkeypatch.setattr(Duty, "hold", lambda _duty: next(answers))
    reconciler.reconcile()
    assert not master.exists()


def test_who_has_no_volume_leaves_it_to_others(
    house: House, reconciler: Reconciler, context: WorkerContext
) -> None:
    away = replace(context, name="another", storage=AttemptStore(house.storage.root / "away"))
    with pytest.raises(StorageError):
        Reconciler(away).reconcile()
    stray = house.storage.root / house.video() / ".work-1-1"
    stray.mkdir()
    reconciler.reconcile()
    assert not stray.exists()
