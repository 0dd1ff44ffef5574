"""Runs blocking work in native threads where the process runs on gevent.

gevent runs all requests of a process in one thread. A call that blocks on the disk, as `fdatasync`
and every SQLite statement do, would stop all of them. This module is the one place that knows
whether gevent is in use.
"""

import concurrent.futures
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, TypeVar

T = TypeVar("T")

THREADS = 16
"""Per process: so many writes and syncs run at the same time."""

_lock = threading.Lock()
_executors: list[Executor] = []
_loops: "list[_Loop]" = []  # gevent's, where it is in use


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
        self._future = executor.submit(self._do)

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


def start(work: Callable[[], T]) -> Started[T]:
    """Start work in another thread, and return at once.

    It must use nothing of the request: no context, no lock, no database session.
    """
    with _lock:
        if not _executors:  # not before a fork, which copies no threads
            _executors.append(_new_executor())
    return Started(_executors[0], work)


def run(work: Callable[[], T]) -> T:
    """Do work that blocks, in a native thread under gevent, and return what it returns."""
    return start(work).result() if shares_one_thread() else work()


def run_in_loop(work: Callable[[], T]) -> T:
    """Do work that uses gevent's sockets, and return what it returns.

    A connection to Redis belongs to the thread of gevent's loop. In a native thread of :func:`run`
    the work is handed to that thread, and this one waits. Anywhere else it is done at once.
    """
    if not _loops or _loops[0].is_current():
        return work()
    return _loops[0].call(work)


class _Loop:
    """gevent's loop, and its thread. Made in that thread."""

    def __init__(self) -> None:
        from gevent import get_hub, spawn  # noqa: PLC0415 (only where it is in use)
        from gevent.monkey import get_original  # noqa: PLC0415

        self._thread_id: Callable[[], int] = get_original("_thread", "get_ident")
        self._own_id = self._thread_id()
        self._spawn = spawn
        self._loop = get_hub().loop

    def is_current(self) -> bool:
        """Tell whether this is the loop's thread."""
        return bool(self._thread_id() == self._own_id)

    def call(self, work: Callable[[], T]) -> T:
        """Do work in a greenlet of the loop; this native thread waits for it."""
        done = new_lock()
        done.acquire()
        values: list[T] = []
        errors: list[BaseException] = []

        def do() -> None:
            try:
                values.append(work())
            except BaseException as error:  # raised again by whoever waits
                errors.append(error)
            finally:
                done.release()

        self._loop.run_callback_threadsafe(self._spawn, do)
        done.acquire()
        if errors:
            raise errors[0]
        return values[0]


def _new_executor() -> Executor:
    if shares_one_thread():
        _loops.append(_Loop())
        # The standard library's is patched by gevent and would run greenlets.
        from gevent.threadpool import ThreadPoolExecutor  # noqa: PLC0415 (only where it is in use)

        executor: Executor = ThreadPoolExecutor(THREADS)
        return executor
    return concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix="disk")
