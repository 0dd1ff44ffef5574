"""The mover, and the store's client, when a real connection to the store has faults."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from common.storage import s3
from common.storage.errors import StoreRefused, StoreUnavailable
from common.storage.s3 import S3Store
from tests.faulty_store import Fault, FaultyProxy, faulty
from tests.upload_service.moving import MovingSite
from tests.upload_service.test_mover import to_disk
from upload_service.mover.faults import Faults

FILES = {"original.mp4": b"the original", "hls/720p.mp4": b"a rendition of it"}
HOUR = timedelta(hours=1)
STATES: Mapping[Fault, set[str]] = {
    Fault.DENIED: {"store refuses (AccessDenied)"},
    Fault.SLOW_DOWN: {"store unavailable"},
    Fault.CUT: {"store unavailable"},
    Fault.WRONG: {"wrong bytes in the store"},
    Fault.SILENT: {"store unavailable"},
    Fault.SILENT_HALFWAY: {"store unavailable"},
}
# The client tries these requests again by itself. A body that ends too early it does not.
TRIED_AGAIN = [Fault.SLOW_DOWN, Fault.SILENT]


@pytest.fixture
def proxy(moving: MovingSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """What is between the site and its store. The site's client does not wait for long."""
    monkeypatch.setattr(s3, "_READ_TIMEOUT", 0.5)
    with faulty(moving.settings) as running:
        with monkeypatch.context() as patch:
            patch.setattr(s3, "_ATTEMPTS", 1)
            moving.store = S3Store(running.settings)
        yield running


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_is_named_and_the_files_are_moved_once_it_is_over(
    moving: MovingSite, proxy: FaultyProxy, fault: Fault
) -> None:
    video_id = moving.add_video(FILES)
    duty = moving.duty(grace=HOUR)
    proxy.fault = fault
    with capture_logs() as logs:
        assert duty.work() == {}
    assert {line["state"] for line in logs if line["log_level"] == "error"} == STATES[fault]
    assert proxy.spoilt
    assert moving.current(video_id) == {}
    assert moving.on_disk(video_id) == sorted(FILES)

    proxy.fault = None
    later = Faults(lambda: duty.faults.clock() + 3600)
    assert replace(duty, faults=later).work() == {"file moved": len(FILES)}
    moving.let_time_pass()
    moving.cleaner().clean()
    assert {name: moving.read(video_id, name) for name in FILES} == FILES
    moving.assert_tidy()


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_puts_nothing_on_the_disk(
    moving: MovingSite, proxy: FaultyProxy, fault: Fault
) -> None:
    video_id = moving.add_video(FILES)
    for _ in range(2):
        moving.duty().work()
    proxy.fault = fault
    for name, found in moving.current(video_id).items():
        with pytest.raises((StoreRefused, StoreUnavailable)):
            moving.mover.to_disk(video_id, name, found, advance=moving.pace.begin())
    assert moving.on_disk(video_id) == []
    assert moving.current(video_id).keys() == FILES.keys()

    proxy.fault = None
    to_disk(moving, video_id)
    assert moving.on_disk(video_id) == sorted(FILES)
    assert {name: moving.read(video_id, name) for name in FILES} == FILES


@pytest.mark.parametrize("fault", [Fault.DENIED, Fault.SLOW_DOWN, Fault.SILENT])
def test_a_fault_of_the_cleaning_leaves_rows_that_lead_to_what_is_left(
    moving: MovingSite, proxy: FaultyProxy, fault: Fault
) -> None:
    video_id = moving.add_video(FILES)
    moving.duty().work()
    to_disk(moving, video_id)
    moving.let_time_pass()
    proxy.fault = fault
    moving.cleaner().clean()
    rows = {row.key for row in moving.rows(video_id)}
    assert rows >= set(S3Store(moving.settings).list_keys(""))
    proxy.fault = None
    moving.let_time_pass()
    moving.cleaner().clean()
    moving.assert_tidy()


@pytest.mark.parametrize("fault", TRIED_AGAIN)
def test_the_client_tries_again(moving: MovingSite, proxy: FaultyProxy, fault: Fault) -> None:
    store = S3Store(proxy.settings)
    proxy.fault, proxy.left = fault, 2
    store.put("key", b"content")
    assert proxy.spoilt == 2
    proxy.left = 2
    assert store.get("key").body == b"content"
    assert proxy.spoilt == 4
