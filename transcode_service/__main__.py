"""The transcode service: starts its workers, starts again what dies, and reconciles.

    python -m transcode_service

Any number may run, on any number of machines that share the volume, Redis and the database.
SIGTERM or Ctrl-C ends it in seconds: jobs are handed back. A kill costs the attempts under way.
"""

import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from common.process.daemon import repeat_until_stopped, run_daemon
from common.settings import Environment, SettingsError
from transcode_service.media import find_ffmpeg
from transcode_service.reconciler import Reconciler
from transcode_service.settings import TranscodeSettings
from transcode_service.shop import Workshop

_INTERVAL = 5.0  # seconds between two times of reconciling
_GRACE = 8.0  # seconds that workers get to hand their jobs back
_PAUSE = 1.0  # seconds until a worker that ended by itself is started again
_TICK = 0.2

log = structlog.get_logger()


@dataclass
class Place:
    """A place for one worker at a time, each with a name of its own."""

    number: int
    name: str = field(default="", init=False)
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    not_before: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Start a worker; it ends with this process."""
        host = "".join(c for c in socket.gethostname() if c.isascii() and c.isalnum())[:24]
        self.name = f"{host or 'host'}-{self.number}-{secrets.token_hex(4)}"
        command = [sys.executable, "-m", "transcode_service.worker", self.name, str(os.getpid())]
        # A session of its own keeps the terminal's Ctrl-C from it.
        self.process = subprocess.Popen(command, start_new_session=True)  # noqa: S603 (our own)


class Foreman:
    """Keeps workers running, and notices which of their leases end with them."""

    def __init__(self, workers: int, reconciler: Reconciler) -> None:
        self._places = [Place(number) for number in range(workers)]
        self._reconciler = reconciler
        self._ended: list[str] = []  # workers whose jobs are still to be brought back

    def look(self) -> None:
        """Start the workers that are missing."""
        _reap(self._places)
        for place in self._places:
            if place.process is not None and place.process.returncode is not None:
                log.warning("worker ended", worker=place.name, status=place.process.returncode)
                self._ended.append(place.name)
                place.process = None
                place.not_before = time.monotonic() + _PAUSE
            if place.process is None and time.monotonic() >= place.not_before:
                place.start()

    def release(self) -> None:
        """Bring back the jobs of workers that have ended.

        :raises DatabaseAway: later, then.
        """
        while self._ended:
            self._reconciler.release(self._ended[0])
            self._ended.pop(0)

    def stop(self) -> None:
        """Tell the workers to end, and insist when they do not."""
        running = [place.process for place in self._places if place.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + _GRACE
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _reap(places: list[Place]) -> None:
    """Take note of children that ended: workers, and what a killed worker has left us.

    As the first process of a container this one inherits every orphan.
    """
    known = {place.process.pid: place.process for place in places if place.process is not None}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in known:
            known[pid].returncode = os.waitstatus_to_exitcode(status)


def run(settings: TranscodeSettings, stop: threading.Event, heartbeat: Path | None) -> None:
    """Run until told to stop; the heartbeat is the reconciler's."""
    log.info("transcode service started", workers=settings.workers)
    reconciler = Reconciler(Workshop.of(settings, name="reconciler"))
    foreman = Foreman(settings.workers, reconciler)

    def work() -> None:
        foreman.release()
        reconciler.reconcile()

    thread = threading.Thread(
        target=repeat_until_stopped,
        args=(work, stop),
        kwargs={"interval": _INTERVAL, "heartbeat": heartbeat},
        daemon=True,
    )
    thread.start()
    while not stop.is_set():
        foreman.look()
        stop.wait(_TICK)
    foreman.stop()
    thread.join(_GRACE)
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
