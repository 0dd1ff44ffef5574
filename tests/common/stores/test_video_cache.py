"""The cache never gives an answer from before a change, however readers and writers meet.

The interleavings are made, not hoped for: whatever is to happen in the middle of a reading happens
inside the function that reads the database.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from common.access import EffectiveGrant, EffectiveLink, VideoAccess
from common.stores.read_through import Mark, ReadThroughCache
from common.stores.video_cache import VideoCache
from db.models import Level, Visibility

ID = "A" * 22
KEY = f"video:{ID}"
LEASE = f"video-lease:{ID}"
OLD = VideoAccess(owner_id=7, visibility=Visibility.PUBLIC)
NEW = VideoAccess(
    owner_id=7,
    visibility=Visibility.PRIVATE,
    downloadable=True,
    playable=False,
    is_binned=True,
    grants=(
        EffectiveGrant(
            "g", Level.SHARE, user_id=8, expires_at=datetime(2026, 11, 27, 1, tzinfo=UTC)
        ),
        EffectiveGrant("h", Level.WATCH, group_id="family", collection_id="holidays"),
    ),
    links=(EffectiveLink("l", Level.DOWNLOAD, expires_at=datetime(2026, 11, 28, tzinfo=UTC)),),
)


class Shelf:
    """Stands in for the database: one video, how often it was read, and what happens meanwhile."""

    def __init__(self, cache: VideoCache, redis: Redis) -> None:
        self.cache = cache
        self.redis = redis
        self.now: VideoAccess | None = OLD
        self.loads = 0

    def entry(self) -> str | None:
        """Return what Redis holds, as the caller of `resolve` fetches it."""
        value = self.redis.get(KEY)
        return value if isinstance(value, str) else None

    def read(
        self,
        *,
        before: Callable[[], object] = lambda: None,
        after: Callable[[], object] = lambda: None,
    ) -> VideoAccess | None:
        """Read through the cache, with something happening before or after the database is read."""

        def load(video_id: str) -> VideoAccess | None:
            assert video_id == ID
            self.loads += 1
            before()
            found = self.now
            after()
            return found

        return self.cache.resolve(ID, self.entry(), load)

    def write(self, value: VideoAccess | None = NEW) -> None:
        """Change the video as a service does."""
        with self.cache.changing([ID]):
            self.now = value


@pytest.fixture
def shelf(redis: Redis) -> Shelf:
    """An empty cache over one video."""
    return Shelf(VideoCache(redis), redis)


@pytest.mark.parametrize("value", [OLD, NEW, VideoAccess(None, Visibility.MEMBERS), None])
def test_the_second_reading_asks_no_database(shelf: Shelf, value: VideoAccess | None) -> None:
    shelf.now = value

    assert [shelf.read() for _ in range(3)] == [value] * 3
    assert shelf.loads == 1
    assert 0 < shelf.redis.ttl(KEY) <= 60
    assert not shelf.redis.exists(LEASE)


def test_a_change_is_seen_by_the_next_reading(shelf: Shelf) -> None:
    shelf.read()
    shelf.write()

    assert shelf.read() == NEW
    assert shelf.read() == NEW
    assert shelf.loads == 2


def test_a_slow_reader_cannot_put_the_old_value_back(shelf: Shelf) -> None:
    assert shelf.read(after=shelf.write) == OLD  # it asked before the change

    assert shelf.entry() is None
    assert shelf.read() == NEW


def test_nor_can_one_that_two_writers_overtake(shelf: Shelf) -> None:
    def twice() -> None:
        shelf.write()
        shelf.write(None)

    shelf.read(after=twice)

    assert shelf.read() is None


def test_nor_can_one_that_another_reader_overtakes(shelf: Shelf) -> None:
    def change_and_read() -> None:
        shelf.write()
        assert shelf.read() == NEW

    shelf.read(after=change_and_read)

    assert shelf.read() == NEW


def test_nor_can_one_whose_lease_ran_out(shelf: Shelf) -> None:
    def lose_the_lease() -> None:
        shelf.redis.delete(LEASE)
        shelf.write()
        # Another reader has the lease now, and has not filled yet.
        shelf.redis.set(LEASE, "another", ex=5)

    shelf.read(after=lose_the_lease)

    assert shelf.entry() is None
    assert shelf.redis.get(LEASE) == "another"
    assert shelf.read() == NEW


def test_a_lease_runs_out_by_itself(shelf: Shelf) -> None:
    shelf.read(before=lambda: shelf.redis.expire(LEASE, 0))

    assert shelf.entry() is None
    assert shelf.read() == OLD
    assert shelf.entry() is not None


def test_a_reader_beside_another_asks_the_database_and_leaves_filling_to_it(shelf: Shelf) -> None:
    assert shelf.read(before=shelf.read) == OLD

    assert shelf.loads == 2
    assert shelf.entry() is not None


def test_while_a_change_is_under_way_the_database_answers(shelf: Shelf) -> None:
    shelf.read()
    with shelf.cache.changing([ID]):
        assert shelf.read() == OLD
        shelf.now = NEW
        assert shelf.read() == NEW
        assert shelf.entry() == "changing"
    assert shelf.entry() is None


def test_a_reader_that_began_before_does_not_replace_the_marker(shelf: Shelf) -> None:
    """Its lease is younger than the marker: it saw no entry, then stood still for a moment."""

    def load(_: str) -> VideoAccess:
        return OLD

    with shelf.cache.changing([ID]):
        shelf.cache.resolve(ID, None, load)
        assert shelf.entry() == "changing"
        shelf.now = NEW
    assert shelf.read() == NEW


@pytest.fixture
def failing(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make Redis fail at the next removal of entries."""

    def fail(*_: object) -> None:
        raise RedisConnectionError("away")

    return lambda: monkeypatch.setattr(shelf.redis, "delete", fail)


def test_redis_failing_after_the_commit_leaves_no_old_value(
    shelf: Shelf, failing: Callable[[], None]
) -> None:
    shelf.read()
    with shelf.cache.changing([ID]):
        shelf.cache.resolve(ID, None, lambda _: OLD)  # a reader in between
        shelf.now = NEW
        failing()

    assert shelf.entry() == "changing"
    assert shelf.read() == NEW
    assert 0 < shelf.redis.ttl(KEY) <= 10


def test_redis_failing_before_the_change_forbids_it(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise RedisConnectionError("away")

    shelf.read()
    monkeypatch.setattr(shelf.redis, "pipeline", fail)

    with pytest.raises(RedisConnectionError):
        shelf.write()
    assert shelf.now == OLD


def test_a_change_whose_outcome_is_unknown_leaves_the_database_to_answer(shelf: Shelf) -> None:
    """The answer to a commit was lost; it may happen a moment after this."""
    shelf.read()
    with pytest.raises(TimeoutError), shelf.cache.changing([ID]):
        raise TimeoutError
    assert shelf.read() == OLD
    shelf.now = NEW

    assert shelf.read() == NEW


def test_several_videos_change_together(shelf: Shelf) -> None:
    ids = [ID, "B" * 22]
    with shelf.cache.changing(ids):
        assert [shelf.redis.get(f"video:{i}") for i in ids] == ["changing"] * 2
    assert [shelf.redis.get(f"video:{i}") for i in ids] == [None] * 2


def test_a_change_of_no_video_asks_nothing_of_redis(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf.redis, "pipeline", None)
    with shelf.cache.changing([]):
        shelf.now = NEW
    assert shelf.now == NEW


def test_a_change_is_run_again_with_the_entries_that_it_finds(shelf: Shelf) -> None:
    cache = VideoCache(shelf.redis)
    found = [["a"], ["a", "b"], ["a", "b"]]
    runs: list[list[str | None]] = []

    def work(mark: Mark) -> str:
        mark(found.pop(0))
        runs.append([shelf.redis.get(f"video:{i}") for i in ("a", "b")])
        return "done"

    assert cache.change(work) == "done"

    # The first two runs were undone before anything was changed.
    assert runs == [["changing", "changing"]]
    assert not shelf.redis.exists("video:a", "video:b")


def test_a_change_of_two_caches_marks_in_both(shelf: Shelf) -> None:
    videos = VideoCache(shelf.redis)
    groups = ReadThroughCache[str](shelf.redis, prefix="groups", encode=str, decode=str)

    def work(mark_group: Mark, mark_video: Mark) -> list[str | None]:
        mark_group(["7"])
        mark_video(["a"])
        return [shelf.redis.get("groups:7"), shelf.redis.get("video:a")]

    assert groups.change(
        lambda mark_group: videos.change(lambda mark_video: work(mark_group, mark_video))
    ) == ["changing", "changing"]
    assert not shelf.redis.exists("video:a", "groups:7")
