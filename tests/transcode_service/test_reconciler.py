"""The reconciler: what was lost between rows, queue and disk is found again."""

from datetime import timedelta
from functools import partial

import pytest
from redis import Redis

from common.job_queue import queue
from db.engine import Database, DatabaseUnavailable
from db.models import JobState, now
from tests.transcode_service.conftest import House
from transcode_service import jobs
from transcode_service.reconciler import Reconciler
from transcode_service.shop import Workshop
from transcode_service.work import drain

SECOND = timedelta(seconds=1)


@pytest.fixture
def reconciler(shop: Workshop) -> Reconciler:
    return Reconciler(shop, sweep_every=0)


def begin(house: House) -> jobs.Claim:
    claim = house.database.write(partial(jobs.claim, worker="gone"))
    assert claim is not None
    return claim


def test_an_emptied_queue_is_rebuilt_from_the_rows(
    house: House, reconciler: Reconciler, redis: Redis
) -> None:
    house.video()
    house.video()
    redis.flushall()
    reconciler.reconcile()
    assert queue(redis).count == 2
    reconciler.reconcile()
    assert queue(redis).count == 2, "no more than needed"


def test_without_jobs_nobody_is_woken(reconciler: Reconciler, redis: Redis) -> None:
    reconciler.reconcile()
    assert queue(redis).count == 0


def test_what_was_put_off_is_begun_when_its_time_has_come(
    house: House, reconciler: Reconciler, redis: Redis
) -> None:
    house.video()
    [job] = house.jobs()
    house.change(job.id, not_before=now() + 60 * SECOND)
    reconciler.reconcile()
    assert queue(redis).count == 0
    house.change(job.id, not_before=now() - SECOND)
    reconciler.reconcile()
    assert queue(redis).count == 1


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
    assert queue(redis).count == 1


def test_without_redis_the_rows_are_brought_back_all_the_same(
    house: House, shop: Workshop, tmp_path: object
) -> None:
    away = Workshop(**{**vars(shop), "redis": Redis.from_url("redis://127.0.0.1:9/0")})
    house.video()
    claim = begin(house)
    house.change(claim.job_id, leased_until=now() - SECOND)
    Reconciler(away).reconcile()
    assert house.look(claim.job_id).state is JobState.WAITING


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
    house: House, shop: Workshop, reconciler: Reconciler
) -> None:
    video = house.video()
    drain(shop)
    master = house.storage.root / video / "hls" / "master.m3u8"
    before = master.read_text()
    master.unlink()
    reconciler.reconcile()
    assert master.read_text() == before
