"""Programs without HTTP: they start, wait for stores that are unavailable, and end at a signal."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog

from common.logging_setup import configure_logging
from common.process.schema_check import check_schema
from common.process.store_retry import wait_for_stores
from common.settings import CommonSettings, Environment, SettingsError
from db.revision import SchemaTooOld

_RETRY_DELAY = 1.0  # seconds after a pass that failed, where there is no interval

S = TypeVar("S")
log = structlog.get_logger()


def run_daemon(
    service: str,
    read: Callable[[Environment], S],
    run: Callable[[S, threading.Event, Path | None], None],
) -> None:
    """Read the settings, and run until SIGTERM or Ctrl-C.

    A wrong setting, or a database that is older than this version, ends it with a sentence.

    :param service: the name in its log lines.
    :param run: gets the settings, the event that tells it to stop, and the `HEARTBEAT_FILE` or
        None: see :func:`repeat_until_stopped`.
    """
    try:
        environment = Environment(os.environ)
        settings = read(environment)
        heartbeat = environment.text("HEARTBEAT_FILE", "")
        common = CommonSettings.read(environment)
        configure_logging(common.log_level)
        check_schema(common)
        structlog.contextvars.bind_contextvars(service=service)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        gc.freeze()  # nothing of what was imported is garbage: Python need not look at the end
        run(settings, stop, Path(heartbeat) if heartbeat else None)
    except (SettingsError, SchemaTooOld) as error:
        sys.exit(str(error))


def repeat_until_stopped(
    work: Callable[[], object], stop: threading.Event, *, interval: float, heartbeat: Path | None
) -> None:
    """Work again and again until told to stop; wait for stores that are unavailable.

    :param interval: seconds between two passes. 0 is for work that waits by itself; a pass that
        failed is then repeated after a second.
    :param heartbeat: a file to touch after each pass. A health check sees by its age whether the
        program hangs.
    """

    def beat() -> None:
        if heartbeat is not None:
            heartbeat.touch()

    def pause() -> bool:
        beat()
        return not stop.wait(interval or _RETRY_DELAY)

    while not stop.is_set():
        delay = interval or _RETRY_DELAY
        try:
            wait_for_stores(work, pause=pause)
            delay = interval
        except Exception:
            log.exception("a pass failed")
        beat()
        stop.wait(delay)
