"""Predictions: a guess at first, and what this machine showed from then on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.models import JobKind, JobState, Video
from tests.transcode_service.conftest import House
from transcode_service import jobs
from transcode_service.estimates import Sample, correction, model, refresh


def make_video(*, seconds: float = 60, width: int = 1280, height: int = 720) -> Video:
    """A video of a size."""
    size = int(seconds * 500_000)
    return Video(duration_ms=int(seconds * 1000), width=width, height=height, size=size)


def test_a_longer_video_and_a_greater_height_take_longer() -> None:
    for kind in JobKind:
        brief = model(kind=kind, height=240, video=make_video(seconds=10))
        assert 0 < brief < model(kind=kind, height=240, video=make_video(seconds=1000))
    low, high = (model(kind=JobKind.RENDITION, height=h, video=make_video()) for h in (240, 480))
    assert low < high


def test_an_upright_video_is_as_much_work_as_a_wide_one() -> None:
    wide = model(kind=JobKind.RENDITION, height=360, video=make_video(width=1280, height=720))
    upright = model(kind=JobKind.RENDITION, height=360, video=make_video(width=720, height=1280))
    assert wide == upright


def test_a_slow_machine_is_known_after_one_step() -> None:
    sample = Sample("v", 240, modelled=10, seconds=35)
    assert correction([sample], modelled=20, height=480, video_id="w") == 3.5
    assert correction([], modelled=20, height=480, video_id="w") == 1.0


def test_one_step_that_hung_changes_nothing() -> None:
    usual = [Sample(f"v{n}", 480, modelled=20, seconds=20) for n in range(4)]
    hung = Sample("h", 480, modelled=20, seconds=2000)
    assert correction([*usual, hung], modelled=20, height=480, video_id="w") == 1.0


def test_a_video_that_has_been_harder_than_others_stays_so() -> None:
    usual = [Sample(f"v{n}", h, modelled=20, seconds=h / 24) for n in range(4) for h in (240, 480)]
    own = [Sample("w", 240, modelled=20, seconds=30)]
    assert correction([*usual, *own], modelled=20, height=480, video_id="w") == 3.0
    assert correction(usual, modelled=20, height=480, video_id="w") == 1.0


@given(st.lists(st.tuples(st.floats(0.1, 1e5), st.floats(0.01, 1e5)), min_size=1))
def test_a_correction_is_one_of_those_seen(pairs: list[tuple[float, float]]) -> None:
    samples = [Sample("v", 240, modelled, seconds) for modelled, seconds in pairs]
    ratio = correction(samples, modelled=10, height=240, video_id="another")
    assert ratio in [sample.ratio for sample in samples]


@pytest.mark.on_mysql
def test_what_waits_is_predicted_again_when_a_rendition_of_the_video_is_done(house: House) -> None:
    video = house.video()
    [check] = house.jobs(video)
    house.change(check.id, state=JobState.DONE)
    waiting = house.job(video, JobKind.RENDITION, 360)
    refresh(house.database, video_id=video)
    guess = house.look(waiting).estimate
    house.job(video, JobKind.RENDITION, 240, state=JobState.DONE, seconds=90.0)
    refresh(house.database, video_id=video)
    corrected = house.look(waiting).estimate
    assert guess
    assert corrected
    assert corrected > 5 * guess, "corrected by the rendition that took 90 seconds"
    claim = jobs.claim(house.database, worker="w")
    assert claim is not None
    assert claim.estimate == corrected
