"""The mover on a real store: files go there and back, whatever fails or is killed meanwhile."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from common.storage import StorageFull, object_files, objects
from common.storage.errors import StoreRefused, StoreUnavailable
from common.storage.movable import DiskFile
from common.storage.object_files import Advance, ObjectFiles, WrittenObject
from common.storage.s3 import S3Store, StoreAnswer
from db.engine import DatabaseUnavailable
from db.models import Video, now
from tests.upload_service.moving import Killed, KillSwitch, MovingSite, sha256
from upload_service.mover.backlog import drop_leftover
from upload_service.mover.duty import MoverDuty
from upload_service.mover.faults import Faults
from upload_service.mover.move import Mover
from upload_service.mover.pace import MovePaused, MoveStopped, Pace

FILES = {
    "original.mp4": b"the original",
    "facts.json": b"{}",
    "poster.jpg": b"a poster",
    "hls/720p.mp4": b"a rendition of it",
    "hls/720p.m3u8": b"#EXTM3U",
}
HOUR = timedelta(hours=1)


def to_disk(site: MovingSite, video_id: str) -> None:
    for name, found in site.current(video_id).items():
        site.mover.to_disk(video_id, name, found, advance=site.pace.begin())


@pytest.mark.on_mysql
def test_files_go_to_the_store_and_leave_the_disk_after_the_grace(moving: MovingSite) -> None:
    video_id = moving.add_video(FILES)
    hidden = moving.disk.root / video_id / ".work-1-1"
    hidden.mkdir()
    (hidden / "half.mp4").touch()
    assert moving.duty(grace=HOUR).work() == {"file moved": 5}
    assert {name: moving.read(video_id, name) for name in FILES} == FILES
    assert moving.current(video_id).keys() == FILES.keys()
    assert moving.duty(grace=HOUR).work() == {}
    moving.let_time_pass(HOUR)
    assert moving.duty(grace=HOUR).work() == {"leftover removed": 5}
    assert moving.on_disk(video_id) == [".work-1-1/half.mp4"]
    assert not (moving.disk.root / video_id / "hls").exists()
    assert {name: moving.read(video_id, name) for name in FILES} == FILES
    assert moving.duty(grace=HOUR).work() == {}
    moving.assert_tidy()


@pytest.mark.on_mysql
def test_files_come_back_and_their_objects_go_after_the_grace(moving: MovingSite) -> None:
    video_id = moving.add_video(FILES)
    moving.duty().work()
    moving.duty().work()
    assert moving.on_disk(video_id) == []
    to_disk(moving, video_id)
    assert moving.on_disk(video_id) == sorted(FILES)
    assert {name: moving.read(video_id, name) for name in FILES} == FILES
    assert (moving.disk.root / video_id / "original.mp4").stat().st_mode & 0o777 == 0o644
    assert moving.current(video_id) == {}
    assert moving.cleaner(grace=HOUR).clean() == {}
    moving.let_time_pass(HOUR)
    assert moving.cleaner(grace=HOUR).clean() == {"object removed": 5}
    moving.assert_tidy()


def test_where_the_disk_is_the_default_only_leftovers_are_removed(moving: MovingSite) -> None:
    moved, stays = moving.add_video(FILES), moving.add_video(FILES)
    for file in moving.disk.list_files(moved):
        moving.mover.to_store(file, advance=moving.pace.begin())
    assert moving.duty(moves=False).work() == {"leftover removed": 5}
    assert (moving.on_disk(moved), moving.on_disk(stays)) == ([], sorted(FILES))
    assert moving.current(stays) == {}


def test_a_large_file_goes_in_parts_and_comes_back_in_ranges(
    moving: MovingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_files, "_PIECE", 5 << 20)
    content = bytes(range(256)) * (11 << 12)
    video_id = moving.add_video({"original.mp4": content}, sha256=None)
    moving.duty().work()
    moving.duty().work()
    to_disk(moving, video_id)
    assert moving.read(video_id, "original.mp4") == content
    video = moving.database.read(lambda session: session.get_one(Video, video_id))
    assert video.sha256 == sha256(content)


def test_originals_go_first_and_older_videos_before_newer_ones(moving: MovingSite) -> None:
    for days in (1, 3, 2):
        moving.add_video(FILES, title=str(days), created_at=now() - timedelta(days=days))
    processed = moving.add_video(FILES, title="4", created_at=now() - timedelta(days=4))
    [original] = [f for f in moving.disk.list_files(processed) if f.name == "original.mp4"]
    moving.mover.to_store(original, advance=moving.pace.begin())
    titles = moving.database.read(
        lambda session: {video.id: video.title for video in session.query(Video)}
    )
    with capture_logs() as logs:
        moving.duty(grace=HOUR).work()
    moved = [(titles[line["id"]], line["name"]) for line in logs if line["event"] == "file moved"]
    assert list(dict.fromkeys(title for title, _ in moved)) == ["3", "2", "1", "4"]
    assert [name for _, name in moved][::5][:3] == ["original.mp4"] * 3


@pytest.mark.parametrize("values", [{"deleted_at": now()}, {"owner_id": None}])
def test_a_video_that_is_nobodys_is_not_moved(
    moving: MovingSite, values: dict[str, object]
) -> None:
    moving.add_video(FILES, **values)
    assert moving.duty().work() == {}


@pytest.mark.parametrize("moment", ["while it is read", "before the switch"])
def test_a_file_that_is_replaced_while_it_is_copied_is_copied_again(
    moving: MovingSite, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    video_id = moving.add_video(FILES)
    [poster] = [f for f in moving.disk.list_files(video_id) if f.name == "poster.jpg"]
    write = ObjectFiles.write

    def replace_it(_done: int = 0) -> None:
        moving.write(video_id, "poster.jpg", b"A POSTER")

    def write_and_replace(*given: Any, **options: Any) -> WrittenObject:
        written = write(*given, **options)
        replace_it()
        return written

    with monkeypatch.context() as patch, suppress(StoreUnavailable):
        if moment == "before the switch":
            patch.setattr(ObjectFiles, "write", write_and_replace)
            assert not moving.mover.to_store(poster, advance=moving.pace.begin())
        else:
            assert not moving.mover.to_store(poster, advance=replace_it)
    assert moving.current(video_id) == {}
    moving.assert_tidy()
    moving.duty().work()
    assert moving.read(video_id, "poster.jpg") == b"A POSTER"


def test_a_leftover_is_looked_at_again_before_it_is_removed(moving: MovingSite) -> None:
    video_id = moving.add_video(FILES)
    moving.duty(grace=HOUR).work()
    file = moving.disk.list_files(video_id)[0]
    assert not drop_leftover(moving.database, disk=moving.disk, file=file, grace=HOUR)
    moving.let_time_pass(HOUR)
    assert drop_leftover(moving.database, disk=moving.disk, file=file, grace=HOUR)
    assert moving.disk.find_file(video_id, file.name) is None


def test_a_file_that_comes_to_the_store_while_it_is_copied_is_kept(moving: MovingSite) -> None:
    video_id = moving.add_video(FILES)
    [poster] = [f for f in moving.disk.list_files(video_id) if f.name == "poster.jpg"]
    newer = replace(poster, path=poster.path.with_name(".newer"))
    newer.path.write_bytes(b"a newer poster")

    def publish(_done: int) -> None:
        if not moving.current(video_id):
            written = moving.files.write(newer.path, video_id=video_id, name="poster.jpg")
            moving.database.write(
                lambda session: objects.make_current(
                    session, object_id=written.id, size=written.size, sha256=written.sha256
                )
            )

    assert not moving.mover.to_store(poster, advance=publish)
    assert moving.read(video_id, "poster.jpg") == b"a newer poster"
    moving.assert_tidy()


def test_a_video_that_is_deleted_while_it_is_moved_leaves_nothing(moving: MovingSite) -> None:
    video_id = moving.add_video(FILES)
    file = moving.disk.list_files(video_id)[0]
    advance = lambda _done: moving.change(video_id, deleted_at=now())  # noqa: E731
    assert not moving.mover.to_store(file, advance=advance)
    assert moving.rows(video_id) == []
    moving.assert_tidy()


def test_a_file_that_is_published_while_it_is_fetched_is_kept(moving: MovingSite) -> None:
    video_id = moving.add_video(FILES)
    moving.duty().work()
    found = moving.current(video_id)["poster.jpg"]

    def publish(_done: int) -> None:
        moving.write(video_id, "poster.jpg", b"a newer poster")
        moving.database.write(
            lambda session: objects.retire(session, video_id=video_id, names=["poster.jpg"])
        )

    assert not moving.mover.to_disk(video_id, "poster.jpg", found, advance=publish)
    assert moving.read(video_id, "poster.jpg") == b"a newer poster"
    assert not [name for name in moving.on_disk(video_id) if name.startswith(".")]


def test_a_damaged_original_stays_on_the_disk_and_is_named(moving: MovingSite) -> None:
    video_id = moving.add_video(FILES, sha256=sha256(b"what was uploaded"))
    with capture_logs() as logs:
        assert moving.duty().work() == {"file moved": 4}
    [error] = [line for line in logs if line["log_level"] == "error"]
    assert error["state"] == "original is damaged"
    assert video_id in error["detail"]
    moving.duty().work()
    assert moving.on_disk(video_id) == ["original.mp4"]
    moving.assert_tidy()


def test_what_is_paused_waits_and_a_copy_under_way_begins_anew(moving: MovingSite) -> None:
    video_id = moving.add_video(FILES)
    moving.paused = True
    assert moving.duty().work() == {}
    pauses = iter([False, True])
    pace = Pace(moving.stop, rate=lambda: None, is_paused=lambda: next(pauses))
    assert MoverDuty(moving.mover, pace, moves=True, grace=HOUR).work() == {}
    moving.assert_tidy()
    moving.paused = False
    assert moving.duty(grace=HOUR).work() == {"file moved": 5}
    assert moving.read(video_id, "original.mp4") == FILES["original.mp4"]


def test_leftovers_go_even_while_moving_is_paused(moving: MovingSite) -> None:
    moving.add_video(FILES)
    moving.duty(grace=HOUR).work()
    moving.paused = True
    assert moving.duty().work() == {"leftover removed": 5}


def test_it_ends_within_a_copy_when_told_to(moving: MovingSite) -> None:
    moving.add_video(FILES)
    moving.stop.set()
    assert moving.duty().work() == {}
    with pytest.raises(MoveStopped):
        moving.pace.begin()
    moving.assert_tidy()


class Clock:
    """A clock that goes on only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return False


def test_the_rate_is_kept(moving: MovingSite) -> None:
    clock: Any = Clock()
    advance = Pace(clock, rate=lambda: 1000, is_paused=lambda: False, clock=clock).begin()
    advance(500)
    assert clock.now == pytest.approx(0.5)
    clock.now += 0.25  # the next piece took this long
    advance(1000)
    assert clock.now == pytest.approx(1.0)
    clock.now += 60  # and this one too long
    advance(1500)
    assert clock.now == pytest.approx(61.0)


def test_a_pause_counts_while_the_rate_is_kept(moving: MovingSite) -> None:
    clock: Any = Clock()
    pace = Pace(clock, rate=lambda: 1000, is_paused=lambda: clock.now > 30, clock=clock)
    advance = pace.begin()
    with pytest.raises(MovePaused):
        advance(1_000_000)
    assert clock.now < 32


def test_a_database_that_is_away_for_a_moment_does_not_end_a_copy(
    moving: MovingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_files, "_PIECE", 5 << 20)
    monkeypatch.setattr(object_files, "_RENEW_EVERY", 0.0)
    renew, failed = objects.renew, []

    def fail_once(*given: Any, **options: Any) -> None:
        if not failed:
            failed.append(True)
            raise DatabaseUnavailable("gone")
        renew(*given, **options)

    monkeypatch.setattr(objects, "renew", fail_once)
    content = b"four" * (3 << 20)
    video_id = moving.add_video({"original.mp4": content})
    assert moving.duty().work() == {"file moved": 1}
    assert failed
    assert moving.read(video_id, "original.mp4") == content


def test_a_disk_without_space_refuses_a_file(
    moving: MovingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    video_id = moving.add_video(FILES)
    moving.duty().work()
    monkeypatch.setattr(type(moving.disk), "free_bytes", lambda _self: 64 << 20)
    with pytest.raises(StorageFull):
        to_disk(moving, video_id)
    assert moving.current(video_id).keys() == FILES.keys()


def test_what_a_killed_fetch_has_left_is_removed(moving: MovingSite) -> None:
    video_id = moving.add_video(FILES)
    for _ in range(2):
        moving.duty().work()
    fetched = moving.disk.new_fetch(video_id)
    fetched.write_bytes(b"half")
    moving.duty().work()
    assert fetched.exists()
    os.utime(fetched, (0, 0))
    moving.duty().work()
    assert not fetched.exists()


# Faults of the store -----------------------------------------------------------------------------


class FaultyStore(S3Store):
    """A store whose next calls fail in some way."""

    fault: Callable[[str], None] | None = None
    spoil: Callable[[bytes], bytes] | None = None

    def put(self, key: str, content: bytes, **options: Any) -> None:
        if self.fault:
            self.fault(key)
        super().put(key, content, **options)

    def get(self, key: str, **options: Any) -> StoreAnswer:
        if self.fault:
            self.fault(key)
        found = super().get(key, **options)
        return replace(found, body=self.spoil(found.body)) if self.spoil else found

    def delete(self, key: str) -> None:
        if self.fault:
            self.fault(key)
        super().delete(key)


def raising(error: Exception) -> Callable[[str], None]:
    def fault(_key: str) -> None:
        raise error

    return fault


@pytest.fixture
def faulty(moving: MovingSite) -> FaultyStore:
    """The store of the site, which can be made to fail."""
    moving.store = FaultyStore(moving.settings)
    return moving.store


FAULTS: Mapping[str, Exception] = {
    "store unavailable": StoreUnavailable("SlowDown: reduce your request rate"),
    "store refuses (AccessDenied)": StoreRefused("AccessDenied", "no"),
}


@pytest.mark.parametrize("state", FAULTS)
def test_a_store_that_fails_is_named_and_tried_again_later(
    moving: MovingSite, faulty: FaultyStore, state: str
) -> None:
    video_id = moving.add_video(FILES)
    clock, asked = Clock(), []

    def fault(key: str) -> None:
        asked.append(key)
        raise FAULTS[state]

    duty = replace(moving.duty(grace=HOUR), faults=Faults(clock))
    faulty.fault = fault
    with capture_logs() as logs:
        assert duty.work() == {}
    assert {line["state"] for line in logs if line["log_level"] == "error"} == {state}
    assert {name: moving.read(video_id, name) for name in FILES} == FILES
    before = len(asked)
    assert duty.work() == {}
    assert len(asked) == before  # it waits
    clock.now += 31
    duty.work()
    assert len(asked) > before
    faulty.fault = None
    clock.now += 3600
    assert duty.work() == {"file moved": 5}
    moving.let_time_pass()
    moving.cleaner().clean()
    moving.assert_tidy()


@pytest.mark.parametrize("spoil", [lambda body: body[:-1], lambda body: b"?" * len(body)])
def test_a_store_with_other_bytes_is_named_and_nothing_is_switched(
    moving: MovingSite, faulty: FaultyStore, spoil: Callable[[bytes], bytes]
) -> None:
    video_id = moving.add_video(FILES)
    faulty.spoil = spoil
    with capture_logs() as logs:
        assert moving.duty().work() == {}
    states = [line["state"] for line in logs if line["log_level"] == "error"]
    assert states == ["wrong bytes in the store"] * 5  # the others are tried
    faulty.spoil = None
    assert moving.current(video_id) == {}
    moving.assert_tidy()


@pytest.mark.parametrize("spoil", [lambda body: body[:-1], lambda body: b"?" * len(body)])
def test_wrong_bytes_do_not_come_to_the_disk(
    moving: MovingSite, faulty: FaultyStore, spoil: Callable[[bytes], bytes]
) -> None:
    video_id = moving.add_video(FILES)
    moving.duty().work()
    moving.duty().work()
    faulty.spoil = spoil
    with pytest.raises(StoreUnavailable):
        to_disk(moving, video_id)
    faulty.spoil = None
    assert moving.on_disk(video_id) == []
    assert {name: moving.read(video_id, name) for name in FILES} == FILES


def test_one_video_that_fails_does_not_keep_the_others(
    moving: MovingSite, faulty: FaultyStore
) -> None:
    bad = moving.add_video({"original.mp4": b"bad"}, created_at=now() - HOUR)
    moving.add_video({"original.mp4": b"good"})

    def fault(key: str) -> None:
        if key.startswith(bad):
            raise StoreRefused("EntityTooLarge", "")

    faulty.fault = fault
    assert moving.duty().work() == {"file moved": 1}


def test_without_redis_nothing_is_switched(
    moving: MovingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    video_id = moving.add_video(FILES)

    def fail(*_: object) -> None:
        raise RedisError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(type(moving.stores.videos), "changing", fail)
        with pytest.raises(RedisError):
            moving.duty().work()
    assert moving.rows(video_id) == []
    moving.assert_tidy()


# Kills -------------------------------------------------------------------------------------------


FEW = {name: FILES[name] for name in ("original.mp4", "hls/720p.mp4")}
Life = Callable[[MovingSite, str], None]


def live_through(site: MovingSite, video_id: str) -> None:
    """Move a video to the store and back, with all clean-up, and once more to the store."""
    for _ in range(2):
        site.duty().work()
        site.cleaner().clean()
    to_disk(site, video_id)
    site.cleaner().clean()
    site.duty().work()


def assert_survives_kills(
    site: MovingSite, live: Life, files: Mapping[str, bytes], *, moments: int
) -> None:
    """Kill at each moment of a video's life, and look whether a fresh process tidies up.

    :param moments: which its life has at least.
    """
    for moment in count(1):
        video_id = site.add_video(files)
        killed = False
        try:
            live(KillSwitch(moment).site(site), video_id)
        except Killed:
            killed = True
        assert {name: site.read(video_id, name) for name in files} == files, moment
        site.let_time_pass()
        for fetched in (site.disk.root / video_id).glob(".fetch-*"):
            os.utime(fetched, (0, 0))
        for _ in range(2):
            site.duty().work()
            site.cleaner().clean()
        assert {name: site.read(video_id, name) for name in files} == files, moment
        assert site.current(video_id).keys() == files.keys(), moment
        assert site.on_disk(video_id) == []
        site.change(video_id, deleted_at=now())
        site.cleaner().clean()
        site.assert_tidy()
        if not killed:
            assert moment > moments
            return


def test_a_kill_at_any_moment_loses_nothing_and_leaves_nothing(moving: MovingSite) -> None:
    assert_survives_kills(moving, live_through, FEW, moments=40)


def test_a_kill_within_an_upload_in_parts_leaves_nothing(
    moving: MovingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_files, "_PIECE", 5 << 20)

    def live(site: MovingSite, video_id: str) -> None:
        [file] = moving.disk.list_files(video_id)
        site.mover.to_store(file, advance=site.pace.begin())

    large = b"five" * (5 << 18) + b"!"  # two parts
    assert_survives_kills(moving, live, {"original.mp4": large}, moments=7)


class DeletesFirst(Mover):
    """The mistake that others have made: the old copy goes before the new one counts."""

    def to_store(self, file: DiskFile, *, advance: Advance) -> bool:
        video_id = file.video_id
        written = self.files.write(file.path, video_id=video_id, name=file.name, advance=advance)
        self.disk.drop_file(video_id, file.name)
        with self.stores.videos.changing([video_id]):
            return self.stores.database.write(
                lambda session: objects.make_current(
                    session, object_id=written.id, size=written.size, sha256=written.sha256
                )
            )


def test_the_kills_find_a_mover_that_deletes_first(moving: MovingSite) -> None:
    def live(site: MovingSite, _video_id: str) -> None:
        mover = DeletesFirst(site.stores, site.disk, site.files)
        replace(site.duty(), mover=mover).work()

    with pytest.raises((AssertionError, FileNotFoundError)):
        assert_survives_kills(moving, live, FEW, moments=7)
