"""Scratch space: copies of objects on this machine's disk, which several steps of a job read.

For each object there are, under a name made of its key:

    <name>.lock   how many bytes the copy takes; locked while the copy is written or read
    <name>.part   the copy while it is written
    <name>        the copy

Processes and threads share the folder. Whoever writes a copy holds its lock exclusively, and
whoever reads it holds it together with others. Where space is needed, the copies that were used
longest ago are removed, unless their lock is held.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from common.file_lock import is_at, try_lock
from common.storage.errors import StorageFull
from common.storage.objects import CurrentObject
from common.storage.volume import RESERVED_SPACE

_LOCK = ".lock"


class Scratch:
    """A folder for copies of objects.

    :param folder: made when it is first used.
    :param size: bytes that all copies may take together.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder.absolute()
        self._size = size

    @contextmanager
    def hold(
        self,
        found: CurrentObject,
        *,
        fetch: Callable[[CurrentObject, Path], None],
        pause: Callable[[], None],
    ) -> Iterator[Path]:
        """Give the path of an object's copy, which is not removed inside the `with` block.

        :param fetch: writes the object to a path where there is no file. Of all who want the same
            object at once, one calls it.
        :param pause: is called again and again while another writes the copy; it waits a moment,
            or raises.
        :raises StorageFull: there is no space, or others use too much of it.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        copy = self._folder / found.key.replace("/", ".")
        while True:
            with _locked(copy, fcntl.LOCK_SH) as lock:
                if lock is not None and copy.exists():
                    os.utime(lock)
                    yield copy
                    return
            with _locked(copy, fcntl.LOCK_EX) as lock:
                if lock is None:
                    pause()
                elif not copy.exists():
                    self._write(found, copy, lock, fetch)

    def drop_unused(self, *, seconds: float) -> None:
        """Remove copies that nobody has used for some time; their videos may be deleted by now."""
        for used, _, copy in list(self._copies()):
            if used < time.time_ns() - seconds * 1e9:
                self._drop(copy)

    def _write(
        self,
        found: CurrentObject,
        copy: Path,
        lock: int,
        fetch: Callable[[CurrentObject, Path], None],
    ) -> None:
        part = _part(copy)
        part.unlink(missing_ok=True)  # of a process that was killed
        try:
            self._make_room(found.size, lock)
            fetch(found, part)
            part.rename(copy)
        except BaseException:
            _remove(copy)
            raise

    def _make_room(self, size: int, lock: int) -> None:
        """Book bytes for a copy, and remove others until they fit.

        :raises StorageFull: they do not fit.
        """
        with (self._folder / "booking").open("wb") as booking:
            fcntl.flock(booking, fcntl.LOCK_EX)
            os.truncate(lock, 0)
            copies = sorted(self._copies())
            booked = sum(taken for _, taken, _ in copies)
            for _, taken, copy in copies:
                if self._fits(booked, size):
                    break
                if self._drop(copy):
                    booked -= taken
            if not self._fits(booked, size):
                raise StorageFull(
                    f"the original takes {size} bytes; of the {self._size} of SCRATCH_SIZE,"
                    f" {booked} are in use"
                )
            os.pwrite(lock, str(size).encode(), 0)

    def _drop(self, copy: Path) -> bool:
        """Remove a copy unless it is in use; tell whether it was removed."""
        with _locked(copy, fcntl.LOCK_EX) as lock:
            if lock is not None:
                _remove(copy)
            return lock is not None

    def _fits(self, booked: int, size: int) -> bool:
        free = shutil.disk_usage(self._folder).free
        return booked + size <= self._size and size + RESERVED_SPACE <= free

    def _copies(self) -> Iterator[tuple[int, int, Path]]:
        """Yield when each copy was last used, what it takes in bytes, and its path."""
        for lock in self._folder.glob(f"*{_LOCK}"):
            with suppress(FileNotFoundError):
                taken = int(lock.read_bytes() or b"0")
                yield lock.stat().st_mtime_ns, taken, lock.with_name(lock.name.removesuffix(_LOCK))


@contextmanager
def _locked(copy: Path, how: int) -> Iterator[int | None]:
    """Open the lock of a copy and try to take it; give the open file, or None if it is held."""
    path = copy.with_name(copy.name + _LOCK)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield lock if try_lock(lock, how) and is_at(lock, path) else None
    finally:
        os.close(lock)


def _part(copy: Path) -> Path:
    return copy.with_name(f"{copy.name}.part")


def _remove(copy: Path) -> None:
    """Remove a copy, whose lock is held exclusively; the lock is the last."""
    for path in (copy, _part(copy), copy.with_name(copy.name + _LOCK)):
        path.unlink(missing_ok=True)
