"""What people are told about processing: how far, when, and after whom."""

from datetime import timedelta

from common.processing import ProcessingState, describe, forecast, in_order, remaining
from db.models import Job, JobKind, JobState, now

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


def seconds(moment: object) -> float:
    assert moment is not None
    return round((moment - TIME).total_seconds(), 3)  # type: ignore[operator]


def test_before_the_check_there_is_a_place_and_no_time() -> None:
    others = [job(JobKind.CHECK, video="a"), job(JobKind.CHECK, video="b")]
    mine = job(JobKind.CHECK)
    told = describe([mine], queue=in_order([*others, mine]), time=TIME)
    assert told.state is ProcessingState.WAITING
    assert (told.place, told.done_at, told.percent) == (3, None, 0)


def test_steps_run_one_after_the_other_on_one_worker() -> None:
    running = job(JobKind.AUDIO, JobState.RUNNING, progress=0.5, begun=5)
    low, high = job(height=240, estimate=20), job(height=360, estimate=30)
    rows = [high, low, running]
    told = describe(rows, queue=in_order(rows), time=TIME)
    assert told.state is ProcessingState.PROCESSING
    assert [step.kind for step in told.steps] == [
        JobKind.AUDIO,
        JobKind.RENDITION,
        JobKind.RENDITION,
    ]
    assert [seconds(step.done_at) for step in told.steps] == [5, 25, 55]
    assert seconds(told.done_at) == 55
    assert told.place is None


def test_a_lower_rung_of_another_video_comes_first() -> None:
    running = job(JobKind.RENDITION, JobState.RUNNING, video="other", progress=0.5, begun=5)
    theirs, mine = job(video="other", height=240), job(height=480)
    ends = forecast(in_order([mine, theirs, running]), time=TIME)
    assert seconds(ends[theirs.id]) == 15
    assert seconds(ends[mine.id]) == 25


def test_two_workers_share_what_waits() -> None:
    running = [job(state=JobState.RUNNING, video=v, progress=0.5, begun=5) for v in "ab"]
    waiting = [job(video="a", height=240), job(video="b", height=240)]
    ends = forecast(in_order([*running, *waiting]), time=TIME)
    assert [seconds(ends[each.id]) for each in waiting] == [15, 15]


def test_progress_corrects_a_wrong_estimate_more_and_more() -> None:
    early = job(state=JobState.RUNNING, estimate=100, progress=0.1, begun=20)
    late = job(state=JobState.RUNNING, estimate=100, progress=0.9, begun=180)
    assert 90 < remaining(early, time=TIME) < 180  # 80 by the estimate, 180 by the progress
    assert 15 < remaining(late, time=TIME) < 25


def test_a_step_that_takes_longer_than_predicted_is_never_overdue() -> None:
    silent = job(state=JobState.RUNNING, estimate=10, begun=60)
    assert remaining(silent, time=TIME) > 0


def test_percent_weighs_steps_by_their_seconds_and_is_100_only_at_the_end() -> None:
    short = job(JobKind.THUMBNAILS, JobState.DONE, estimate=1)
    long = job(JobKind.RENDITION, JobState.RUNNING, estimate=99, progress=0.5, begun=50)
    assert describe([short, long], queue=[long], time=TIME).percent == 50
    long.progress = 1.0
    assert describe([short, long], queue=[long], time=TIME).percent == 99
    long.state = JobState.DONE
    done = describe([short, long], queue=[], time=TIME)
    assert (done.percent, done.state, done.done_at) == (100, ProcessingState.DONE, None)


def test_failed_and_refused_are_told_apart() -> None:
    check = job(JobKind.CHECK, JobState.FAILED)
    assert describe([check], queue=[], time=TIME).state is ProcessingState.FAILED
    refused = describe([check], queue=[], time=TIME, refused=True)
    assert refused.state is ProcessingState.REFUSED


def test_what_is_put_off_is_not_promised_earlier() -> None:
    waiting = job(height=240)
    waiting.not_before = TIME + timedelta(seconds=60)
    assert seconds(forecast([waiting], time=TIME)[waiting.id]) == 70


def test_an_old_video_without_jobs_is_done() -> None:
    told = describe([], queue=[], time=TIME)
    assert (told.state, told.percent) == (ProcessingState.DONE, 100)
