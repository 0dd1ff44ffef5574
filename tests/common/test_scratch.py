"""Scratch space: one copy for many readers, within a budget."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from common.storage import StorageFull
from common.storage.objects import CurrentObject
from common.storage.scratch import Scratch

PIECE = 1000


class Fetches:
    """Fetches that write as many bytes as an object has, and are counted."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def __call__(self, found: CurrentObject, path: Path) -> None:
        self.keys.append(found.key)
        with path.open("xb") as file:
            file.write(bytes(found.size))


@pytest.fixture
def fetch() -> Fetches:
    return Fetches()


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "scratch", 3 * PIECE)


def found(name: str, size: int = PIECE) -> CurrentObject:
    return CurrentObject(1, f"{name}/0/original.mp4", size, "", datetime.now(UTC))


def not_waiting() -> None:
    raise AssertionError("nobody else writes this copy")


def use(scratch: Scratch, name: str, fetch: Callable[..., None], size: int = PIECE) -> None:
    with scratch.hold(found(name, size), fetch=fetch, pause=not_waiting) as path:
        assert path.stat().st_size == size


def copies(tmp_path: Path) -> set[str]:
    return {path.name.split(".")[0] for path in (tmp_path / "scratch").glob("*.mp4*")}


def test_an_object_is_fetched_once_and_its_folder_is_private(
    scratch: Scratch, fetch: Fetches, tmp_path: Path
) -> None:
    use(scratch, "a", fetch)
    use(scratch, "a", fetch)
    assert fetch.keys == ["a/0/original.mp4"]
    assert (tmp_path / "scratch").stat().st_mode & 0o777 == 0o700


def test_what_was_used_longest_ago_makes_room(
    scratch: Scratch, fetch: Fetches, tmp_path: Path
) -> None:
    for name in ("a", "b", "c", "a", "d"):
        use(scratch, name, fetch)
    assert copies(tmp_path) == {"a", "c", "d"}


def test_what_is_in_use_stays_and_the_budget_is_kept(
    scratch: Scratch, fetch: Fetches, tmp_path: Path
) -> None:
    with scratch.hold(found("a", 2 * PIECE), fetch=fetch, pause=not_waiting) as path:
        use(scratch, "b", fetch)
        with pytest.raises(StorageFull, match="SCRATCH_SIZE"):
            use(scratch, "c", fetch, 2 * PIECE)
        assert path.exists()
    assert copies(tmp_path) == {"a"}
    use(scratch, "c", fetch, 2 * PIECE)
    assert copies(tmp_path) == {"c"}


def test_what_does_not_fit_at_all_is_refused(scratch: Scratch, fetch: Fetches) -> None:
    with pytest.raises(StorageFull):
        use(scratch, "a", fetch, 4 * PIECE)
    assert fetch.keys == []


def test_a_disk_without_space_counts_too(
    scratch: Scratch, fetch: Fetches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(scratch, "a", fetch)
    full = SimpleNamespace(free=PIECE)
    monkeypatch.setattr("common.storage.scratch.shutil.disk_usage", lambda _path: full)
    with pytest.raises(StorageFull):
        use(scratch, "b", fetch)
    assert copies(tmp_path) == set()


def test_a_fetch_that_fails_leaves_nothing(scratch: Scratch, tmp_path: Path) -> None:
    def fail(_found: CurrentObject, path: Path) -> None:
        path.write_bytes(b"half")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        use(scratch, "a", fail)
    assert copies(tmp_path) == set()


def test_what_a_killed_process_left_is_fetched_again(
    scratch: Scratch, fetch: Fetches, tmp_path: Path
) -> None:
    use(scratch, "a", fetch)
    copy = tmp_path / "scratch" / "a.0.original.mp4"
    copy.rename(copy.with_name(f"{copy.name}.part"))
    use(scratch, "a", fetch)
    assert len(fetch.keys) == 2
    assert not copy.with_name(f"{copy.name}.part").exists()


def test_what_nobody_uses_any_more_is_removed(
    scratch: Scratch, fetch: Fetches, tmp_path: Path
) -> None:
    with scratch.hold(found("a"), fetch=fetch, pause=not_waiting):
        use(scratch, "b", fetch)
        scratch.drop_unused(seconds=3600)
        assert copies(tmp_path) == {"a", "b"}
        scratch.drop_unused(seconds=0)
        assert copies(tmp_path) == {"a"}


def test_two_that_want_the_same_fetch_it_once(scratch: Scratch) -> None:
    begun, go_on, waited = threading.Event(), threading.Event(), threading.Event()
    fetched: list[str] = []

    def slow(wanted: CurrentObject, path: Path) -> None:
        begun.set()
        assert go_on.wait(10)
        fetched.append(wanted.key)
        path.write_bytes(bytes(wanted.size))

    def pause() -> None:
        waited.set()
        go_on.set()

    first = threading.Thread(target=use, args=(scratch, "a", slow))
    first.start()
    assert begun.wait(10)
    with scratch.hold(found("a"), fetch=slow, pause=pause) as path:
        assert path.stat().st_size == PIECE
    first.join(10)
    assert waited.is_set()
    assert len(fetched) == 1


def test_whoever_waits_may_give_up(scratch: Scratch) -> None:
    def give_up() -> None:
        raise InterruptedError

    def fetch(_found: CurrentObject, _path: Path) -> None:
        with scratch.hold(found("a"), fetch=fetch, pause=give_up):
            pass

    with pytest.raises(InterruptedError):
        use(scratch, "a", fetch)
