"""Jobs: who gets which next, and what a worker's word counts for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import text

from db.models import Job, JobKind, JobState, now
from tests.transcode_service.conftest import House
from transcode_service import jobs, log_tail
from transcode_service.jobs import Claim

SECOND = timedelta(seconds=1)


def claim(house: House, worker: str = "w") -> Claim | None:
    return jobs.claim(house.database, worker=worker)


def must_claim(house: House, worker: str = "w") -> Claim:
    claimed = claim(house, worker)
    assert claimed is not None
    return claimed


def claim_all(house: House) -> list[tuple[str, JobKind, int]]:
    taken = []
    while claimed := claim(house):
        taken.append((claimed.video_id, claimed.kind, claimed.height))
    return taken


def expire(house: House) -> int:
    return jobs.expire(house.database)


def test_without_jobs_nothing_is_claimed(house: House) -> None:
    assert claim(house) is None


def test_a_claim_takes_the_next_fence_a_lease_and_an_attempt(house: House) -> None:
    video = house.video()
    claimed = must_claim(house, "worker-7")
    job = house.look(claimed.job_id)
    assert (job.video_id, job.state, job.worker) == (video, JobState.RUNNING, "worker-7")
    assert (job.fence, job.attempts) == (1, 1) == (claimed.fence, 1)
    assert job.leased_until
    assert job.leased_until > now()
    assert job.estimate
    assert job.estimate > 0
    assert claim(house) is None


def test_kinds_come_in_their_order_then_the_lowest_heights_of_all_videos(house: House) -> None:
    first, second = house.video(), house.video()
    for video in (first, second):
        for height in (480, 240):
            house.job(video, JobKind.RENDITION, height)
        for kind in (JobKind.AUDIO, JobKind.REMUX, JobKind.THUMBNAILS):
            house.job(video, kind)
    order = [
        *((kind, 0) for kind in (JobKind.CHECK, JobKind.REMUX, JobKind.AUDIO, JobKind.THUMBNAILS)),
        (JobKind.RENDITION, 240),
        (JobKind.RENDITION, 480),
    ]
    expected = [(video, *step) for step in order for video in (first, second)]
    assert claim_all(house) == expected


def test_among_equals_people_take_turns(house: House) -> None:
    alices = [house.video("alice") for _ in range(4)]
    bobs = [house.video("bob") for _ in range(2)]
    [charlies] = [house.video("charlie")]
    owners = {**dict.fromkeys(alices, "alice"), **dict.fromkeys(bobs, "bob"), charlies: "charlie"}
    taken = [owners[video] for video, _, _ in claim_all(house)]
    assert taken == ["alice", "bob", "charlie", "alice", "bob", "alice", "alice"]


def test_turns_are_counted_without_looking_at_every_job(house: House) -> None:
    # MySQL names all indexes that it could use: without rows it would as soon use another one.
    mysql = house.database.engine.dialect.name == "mysql"
    explain = "EXPLAIN FORMAT=TRADITIONAL " if mysql else "EXPLAIN QUERY PLAN "
    counted = jobs._busy_owners(now()).compile(
        house.database.engine, compile_kwargs={"literal_binds": True}
    )

    plan = house.database.read(lambda session: session.execute(text(explain + str(counted))).all())

    assert "ix_jobs_started_at" in repr(plan)


def test_no_job_is_started_for_a_video_that_is_deleted_rejected_or_without_owner(
    house: House,
) -> None:
    house.change_video(house.video(), deleted_at=now())
    house.change_video(house.video(), rejection_reason="It cannot be played.")
    house.change_video(house.video(), owner_id=None)
    assert claim(house) is None
    assert jobs.claim(house.database, worker="w") is None


def test_many_workers_at_once_never_get_the_same_job(house: House) -> None:
    for _ in range(12):
        house.video()

    def work(number: int) -> list[int]:
        taken = []
        while claimed := claim(house, f"w{number}"):
            taken.append(claimed.job_id)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [job for part in pool.map(work, range(4)) for job in part]
    assert len(taken) == len(set(taken)) == 12


def test_a_renewal_extends_the_lease_and_tells_progress(house: House) -> None:
    house.video()
    claimed = must_claim(house)
    before = house.look(claimed.job_id).leased_until
    assert jobs.renew(house.database, claim=claimed, progress=0.5)
    job = house.look(claimed.job_id)
    assert before
    assert job.leased_until
    assert job.leased_until > before
    assert job.progress == 0.5


def test_the_lease_of_a_deleted_video_is_not_renewed(house: House) -> None:
    video = house.video()
    claimed = must_claim(house)
    house.change_video(video, deleted_at=now())
    assert not jobs.renew(house.database, claim=claimed, progress=0)
    assert not jobs.is_wanted(house.database, claim=claimed)


def test_an_expired_lease_gives_the_job_to_the_next_and_the_first_has_lost_it(
    house: House,
) -> None:
    house.video()
    first = must_claim(house, "first")
    house.change(first.job_id, leased_until=now() - SECOND)
    assert expire(house) == 1
    second = must_claim(house, "second")
    assert (second.job_id, second.fence) == (first.job_id, first.fence + 1)
    assert not jobs.renew(house.database, claim=first, progress=0.9)
    assert not jobs.finish(house.database, claim=first, seconds=1.0)
    assert not jobs.fail(house.database, claim=first, error="no")
    assert not jobs.release(house.database, claim=first)
    job = house.look(first.job_id)
    assert (job.state, job.worker, job.attempts) == (JobState.RUNNING, "second", 2)
    assert jobs.finish(house.database, claim=second, seconds=1.0)


def test_a_lease_that_has_not_run_out_is_left_alone(house: House) -> None:
    house.video()
    claimed = must_claim(house)
    assert expire(house) == 0
    assert jobs.is_wanted(house.database, claim=claimed)


def test_a_job_that_is_lost_three_times_fails_and_the_queue_moves_on(house: House) -> None:
    house.video()
    for _ in range(jobs.ATTEMPTS):
        claimed = must_claim(house)
        house.change(claimed.job_id, leased_until=now() - SECOND)
        assert expire(house) == 1
    job = house.look(claimed.job_id)
    assert job.state is JobState.FAILED
    assert job.error
    assert job.finished_at
    other = house.video()
    assert must_claim(house).video_id == other
    assert claim(house) is None


def test_the_jobs_of_a_worker_that_ended_need_no_lease_to_run_out(house: House) -> None:
    house.video()
    house.video()
    gone, alive = must_claim(house, "gone"), must_claim(house, "alive")
    assert jobs.expire(house.database, worker="gone") == 1
    assert house.look(gone.job_id).state is JobState.WAITING
    assert house.look(alive.job_id).state is JobState.RUNNING


def test_a_failure_is_tried_again_later_and_later_and_three_times_in_all(house: House) -> None:
    house.video()
    pauses = []
    for _ in range(jobs.ATTEMPTS - 1):
        claimed = must_claim(house)
        assert jobs.fail(
            house.database, claim=claimed, error="It broke.", detail="x" * 9000 + "end"
        )
        job = house.look(claimed.job_id)
        assert job.state is JobState.WAITING
        assert job.not_before is not None
        pauses.append(job.not_before - now())
        assert claim(house) is None, "not before its time"
        house.change(claimed.job_id, not_before=now() - SECOND)
    assert timedelta(0) < pauses[0] < pauses[1]
    claimed = must_claim(house)
    assert jobs.fail(house.database, claim=claimed, error="It broke.")
    job = house.look(claimed.job_id)
    assert (job.state, job.error) == (JobState.FAILED, "It broke.")


def test_the_last_lines_of_ffmpeg_are_kept(house: House) -> None:
    house.video()
    claimed = must_claim(house)
    detail = "x" * 9000 + "the end"
    jobs.fail(house.database, claim=claimed, error="e" * 999, detail=detail)
    job = house.look(claimed.job_id)
    assert job.log_tail
    assert job.log_tail.endswith("the end")
    assert len(job.log_tail) == log_tail.LIMIT


def test_a_final_failure_is_not_tried_again(house: House) -> None:
    house.video()
    claimed = must_claim(house)
    jobs.fail(house.database, claim=claimed, error="Never.", final=True)
    assert house.look(claimed.job_id).state is JobState.FAILED


def test_a_job_that_is_handed_back_has_not_been_attempted(house: House) -> None:
    house.video()
    claimed = must_claim(house)
    assert jobs.release(house.database, claim=claimed)
    job = house.look(claimed.job_id)
    assert (job.state, job.attempts, job.worker) == (JobState.WAITING, 0, None)
    assert must_claim(house).fence == 2


def test_a_deferred_job_waits_says_why_and_counts_no_attempt(house: House) -> None:
    house.video()
    claimed = must_claim(house)
    assert jobs.release(house.database, claim=claimed, after=60 * SECOND, error="The disk is full.")
    job = house.look(claimed.job_id)
    assert (job.state, job.attempts, job.error) == (JobState.WAITING, 0, "The disk is full.")
    assert claim(house) is None


def test_a_failed_job_that_is_started_by_hand_begins_anew(house: House) -> None:
    house.video()
    claimed = must_claim(house)
    jobs.fail(house.database, claim=claimed, error="Never.", final=True)
    house.change(claimed.job_id, state=JobState.WAITING, attempts=0, not_before=None)
    again = must_claim(house)
    jobs.finish(house.database, claim=again, seconds=2.5)
    job: Job = house.look(claimed.job_id)
    assert (job.state, job.seconds, job.error, job.log_tail) == (JobState.DONE, 2.5, None, None)
