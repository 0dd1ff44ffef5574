"""Runs blocking work in native threads where the process runs on gevent.

gevent runs all requests of a process in one thread. A call that blocks on the disk, as `fdatasync`
and every SQLite statement do, would stop all of them. This module is the one place that knows
whether gevent is in use.
"""

import concurrent.futures
import contextvars
import enum
import functools
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, TypeVar

T = TypeVar("T")

THREADS = 16
"""Per process and pool: so many writes and syncs of files run at the same time."""


_in_native_thread = contextvars.ContextVar("in_native_thread", default=False)


class Pool(enum.Enum):
    """Threads for one kind of work, so that files on a slow disk keep no query waiting."""

    FILES = "files"
    DATABASE = "database"


def shares_one_thread() -> bool:
    """Tell whether all requests of this process share one thread (gevent)."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


class Started(Generic[T]):
    """Work that another thread is doing. What it raises is kept: gevent prints it otherwise."""

    _value: T

    def __init__(self, executor: Executor, work: Callable[[], T]) -> None:
        self._work = work
        self._error: Exception | None = None
        self._future = executor.submit(contextvars.copy_context().run, self._do)

    def done(self) -> bool:
        """Tell whether it has returned or raised."""
        return self._future.done()

    def result(self) -> T:
        """Wait until it is done; return what it returned, or raise what it raised."""
        self._future.result()
        if self._error is not None:
            raise self._error
        return self._value

    def _do(self) -> None:
        _in_native_thread.set(True)  # in this work's own context
        try:
            self._value = self._work()
        except Exception as error:
            self._error = error


def new_lock() -> threading.Lock:
    """Return a lock for native threads and greenlets. It is to be held for an instant only.

    Under gevent, `threading.Lock` would be one for greenlets alone.
    """
    if not shares_one_thread():
        return threading.Lock()
    from gevent.monkey import get_original  # noqa: PLC0415 (only where it is in use)

    lock: threading.Lock = get_original("_thread", "allocate_lock")()
    return lock


def start(work: Callable[[], T], *, pool: Pool = Pool.FILES) -> Started[T]:
    """Start work in another thread, and return at once.

    It sees the context variables of its caller, so that sentences are in the reader's language. It
    must use no lock and no database session of the request.
    """
    return Started(_executor(pool), work)


def run(work: Callable[[], T], *, pool: Pool = Pool.FILES) -> T:
    """Do work that blocks, in a native thread under gevent, and return what it returns.

    In such a thread it is done at once: gevent gives out work from its own thread only.
    """
    if shares_one_thread() and not _in_native_thread.get():
        return start(work, pool=pool).result()
    return work()


@functools.cache
def _executor(pool: Pool) -> Executor:
    """Make one of this process's executors at its first use: a fork copies no threads."""
    if shares_one_thread():
        # The standard library's is patched by gevent and would run greenlets.
        from gevent.threadpool import ThreadPoolExecutor  # noqa: PLC0415 (only where it is in use)

        executor: Executor = ThreadPoolExecutor(THREADS)
        return executor
    return concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix=pool.value)
