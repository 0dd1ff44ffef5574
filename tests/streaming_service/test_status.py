"""How far processing is: state, percent, ETA and queue position."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from common import forecast as forecasts
from common.forecast import (
    Forecast,
    ForecastCache,
    OpenJob,
    in_queue_order,
    make_forecast,
    seconds_left,
)
from db.engine import Database
from db.models import Job, JobKind, JobState, now
from streaming_service.processing.status import Processing, ProcessingState, describe

TIME = now()
_ids = iter(range(1, 10_000))


def job(
    kind: JobKind = JobKind.RENDITION,
    state: JobState = JobState.WAITING,
    *,
    video: str = "mine",
    estimate: float | None = 10.0,
    height: int = 0,
    progress: float = 0.0,
    begun: float = 0.0,
) -> Job:
    """A row, begun so many seconds ago."""
    return Job(
        id=next(_ids),
        video_id=video,
        kind=kind,
        state=state,
        height=height,
        estimate=estimate,
        progress=progress,
        started_at=TIME - timedelta(seconds=begun) if begun else None,
    )


def open_job(row: Job) -> OpenJob:
    """Return what a forecast reads of a row."""
    return OpenJob(*(getattr(row, name) for name in OpenJob._fields))


def forecast_of(*rows: Job) -> Forecast:
    return make_forecast(in_queue_order(map(open_job, rows)), time=TIME)


def described(rows: list[Job], *others: Job, rejected: bool = False) -> Processing:
    """Describe a video with these jobs, while jobs of other videos are open too."""
    is_open = (JobState.WAITING, JobState.RUNNING)
    queue = [row for row in (*others, *rows) if row.state in is_open]
    return describe(rows, forecast_of(*queue), rejected=rejected)


def seconds(moment: object) -> float:
    assert moment is not None
    return round((moment - TIME).total_seconds(), 3)  # type: ignore[operator]


def test_before_the_check_there_is_a_place_and_no_time() -> None:
    others = [job(JobKind.CHECK, video="a"), job(JobKind.CHECK, video="b")]
    mine = job(JobKind.CHECK)
    told = described([mine], *others)
    assert told.state is ProcessingState.WAITING
    assert (told.queue_position, told.eta, told.percent) == (3, None, 0)


def test_steps_run_one_after_the_other_on_one_worker() -> None:
    running = job(JobKind.AUDIO, JobState.RUNNING, progress=0.5, begun=5)
    low, high = job(height=240, estimate=20), job(height=360, estimate=30)
    rows = [high, low, running]
    told = described(rows)
    assert told.state is ProcessingState.PROCESSING
    assert [step.kind for step in told.jobs] == [
        JobKind.AUDIO,
        JobKind.RENDITION,
        JobKind.RENDITION,
    ]
    assert [seconds(step.done_at) for step in told.jobs] == [5, 25, 55]
    assert seconds(told.eta) == 55
    assert told.queue_position is None


def test_a_lower_rendition_of_another_video_comes_first() -> None:
    running = job(JobKind.RENDITION, JobState.RUNNING, video="other", progress=0.5, begun=5)
    theirs, mine = job(video="other", height=240), job(height=480)
    etas = forecast_of(mine, theirs, running).etas
    assert seconds(etas[theirs.id]) == 15
    assert seconds(etas[mine.id]) == 25


def test_two_workers_share_what_waits() -> None:
    running = [job(state=JobState.RUNNING, video=v, progress=0.5, begun=5) for v in "ab"]
    waiting = [job(video="a", height=240), job(video="b", height=240)]
    etas = forecast_of(*running, *waiting).etas
    assert [seconds(etas[each.id]) for each in waiting] == [15, 15]


def test_progress_corrects_a_wrong_estimate_more_and_more() -> None:
    early = job(state=JobState.RUNNING, estimate=100, progress=0.1, begun=20)
    late = job(state=JobState.RUNNING, estimate=100, progress=0.9, begun=180)
    assert (
        90 < seconds_left(open_job(early), time=TIME) < 180
    )  # 80 by the estimate, 180 by the progress
    assert 15 < seconds_left(open_job(late), time=TIME) < 25


def test_a_step_that_takes_longer_than_predicted_is_never_overdue() -> None:
    silent = job(state=JobState.RUNNING, estimate=10, begun=60)
    assert seconds_left(open_job(silent), time=TIME) > 0


def test_percent_weighs_steps_by_their_seconds_and_is_100_only_at_the_end() -> None:
    short = job(JobKind.THUMBNAILS, JobState.DONE, estimate=1)
    long = job(JobKind.RENDITION, JobState.RUNNING, estimate=99, progress=0.5, begun=50)
    assert described([short, long]).percent == 50
    long.progress = 1.0
    assert described([short, long]).percent == 99
    long.state = JobState.DONE
    done = described([short, long])
    assert (done.percent, done.state, done.eta) == (100, ProcessingState.DONE, None)


def test_failed_and_rejected_are_told_apart() -> None:
    check = job(JobKind.CHECK, JobState.FAILED)
    assert described([check]).state is ProcessingState.FAILED
    rejected = described([check], rejected=True)
    assert rejected.state is ProcessingState.REJECTED


def test_a_deferred_job_has_no_earlier_eta() -> None:
    waiting = job(height=240)
    waiting.not_before = TIME + timedelta(seconds=60)
    assert seconds(forecast_of(waiting).etas[waiting.id]) == 70


def test_an_old_video_without_jobs_is_done() -> None:
    told = described([])
    assert (told.state, told.percent) == (ProcessingState.DONE, 100)


def test_queue_positions_count_videos_not_jobs() -> None:
    theirs = [job(video="a", height=240), job(video="a", height=360), job(video="b", height=240)]
    mine = job(video="mine", height=480)

    assert forecast_of(mine, *theirs).positions == {"a": 1, "b": 2, "mine": 3}


@pytest.mark.on_mysql
def test_a_forecast_is_made_once_a_second_for_all_who_ask(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    clock = 1000.0

    def count(_session: Session) -> list[OpenJob]:
        nonlocal made
        made += 1
        return []

    monkeypatch.setattr(forecasts, "load_open_jobs", count)
    monkeypatch.setattr(forecasts.clock, "monotonic", lambda: clock)
    cache = ForecastCache()
    with Session(database.engine) as session:
        for _ in range(24 * 20):
            cache.get(session)
        assert made == 1
        clock += 1
        for _ in range(24 * 20):
            cache.get(session)
        assert made == 2


def test_a_forecast_that_is_being_made_holds_nobody_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1000.0
    cache = ForecastCache()
    seen: list[Forecast] = []

    def ask_meanwhile(session: Session) -> list[OpenJob]:
        if clock > 1000:
            seen.append(cache.get(session))
        return []

    monkeypatch.setattr(forecasts, "load_open_jobs", ask_meanwhile)
    monkeypatch.setattr(forecasts.clock, "monotonic", lambda: clock)
    with Session(database.engine) as session:
        first = cache.get(session)
        clock += 1
        second = cache.get(session)
    assert seen == [first]
    assert second is not first
