"""The transcode service: keeps its workers running, and reconciles.

    python -m transcode_service

Any number may run, on any number of machines that share the database, Redis, and the volume or an
object store.
SIGTERM or Ctrl-C ends it in seconds: jobs are handed back. A kill costs the attempts under way.
"""

import sys
import threading
from pathlib import Path

import structlog

from common.duty import process_name
from common.process.daemon import repeat_until_stopped, run_daemon
from common.process.supervisor import Program, Supervisor
from common.settings import Environment, SettingsError
from transcode_service.media.sandbox import find_ffmpeg, network_is_denied
from transcode_service.reconciler import Reconciler
from transcode_service.settings import TranscodeSettings
from transcode_service.worker_context import WorkerContext

_INTERVAL = 5.0  # seconds between two passes of the reconciler
_POLL = 0.2  # seconds between two looks at the workers
_GRACE = 8.0  # seconds that workers get to hand their jobs back
_JOIN = 8.0  # seconds that the last pass may take at the end

log = structlog.get_logger()


def run(settings: TranscodeSettings, stop: threading.Event, heartbeat: Path | None) -> None:
    """Run until told to stop; the heartbeat is the reconciler's."""
    log.info("transcode service started", workers=settings.workers)
    if not network_is_denied():
        log.warning("this system cannot keep ffmpeg from the network")
    prefix = process_name()  # of the workers' names
    reconciler = Reconciler(WorkerContext.of(settings, name=prefix))
    ended: list[str] = []  # workers whose jobs are still to be queued again

    def note_exit(program: Program, status: int) -> None:
        if program.process is not None:
            worker = f"{prefix}-{program.process.pid}"
            log.warning("worker ended", worker=worker, status=status)
            ended.append(worker)

    def work() -> None:
        while ended:
            reconciler.expire(worker=ended[0])
            ended.pop(0)
        reconciler.reconcile()

    def reconcile_until_stopped() -> None:
        repeat_until_stopped(work, stop, interval=_INTERVAL, heartbeat=heartbeat)
        reconciler.release()

    workers = Supervisor(note_exit)
    command = [sys.executable, "-m", "transcode_service.worker", prefix]
    for number in range(settings.workers):
        workers.start(Program(f"worker-{number}", command))
    thread = threading.Thread(target=reconcile_until_stopped, daemon=True)
    thread.start()
    while not stop.is_set():
        workers.poll()
        stop.wait(_POLL)
    workers.stop(grace=_GRACE)
    thread.join(_JOIN)
    log.info("transcode service ended")


def read(environment: Environment) -> TranscodeSettings:
    """Read the settings, and look whether there is an ffmpeg.

    :raises SettingsError: one is wrong, or there is none.
    """
    settings = TranscodeSettings.read(environment)
    try:
        find_ffmpeg()
    except FileNotFoundError as error:
        message = "ffmpeg is not installed: on Debian, apt-get install ffmpeg."
        raise SettingsError(message) from error
    return settings


if __name__ == "__main__":
    run_daemon("transcode", read, run)
