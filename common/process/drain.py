"""Lets requests go elsewhere before a service stops: `python -m common.process.drain gunicorn ...`.

gunicorn closes its listener as soon as it is told to stop. Whoever distributes requests learns of
that a few seconds later, and sends some to a closed port until then. So this program starts the
service and stands in front of its signals. At SIGTERM the service goes on, but says at `/readyz`
that it is not ready; after `DRAIN_DELAY` seconds (5) it gets the signal. A second SIGTERM ends the
wait. All other signals are passed on at once.

As the first process of a container it also collects the exit codes of processes without parents.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common.settings import Environment, SettingsError

_FILE = "DRAIN_FILE"  # the name of a variable; the file is there once the service is to stop
_PASSED_ON = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_AWAITED = (signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD, *_PASSED_ON)
_MAX_DELAY = 600  # seconds


def is_draining() -> bool:
    """Tell whether this service has been told to stop, and only waits for requests to end."""
    path = os.environ.get(_FILE)
    return path is not None and Path(path).exists()


def run_service(command: Sequence[str], *, delay: int) -> int:
    """Run a service until it ends, and return its exit code.

    :param command: of the service; the program is looked for in the path.
    :param delay: seconds from SIGTERM until the service gets it.
    """
    with tempfile.TemporaryDirectory() as folder:
        draining = Path(folder) / "draining"
        environment = {**os.environ, _FILE: str(draining)}
        # Signals wait until they are asked for: a handler would not run for one that comes in the
        # moment before a wait for the service begins.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        child = os.posix_spawnp(command[0], list(command), environment, setsigmask=before)
        while True:
            number = signal.sigwait(_AWAITED)
            if number == signal.SIGCHLD:
                if (code := _collect(child)) is not None:
                    return code
            elif number == signal.SIGTERM and delay > 0 and not draining.exists():
                draining.touch()
                signal.alarm(delay)
            else:
                os.kill(child, signal.SIGTERM if number == signal.SIGALRM else number)


def _collect(child: int) -> int | None:
    """Collect processes that have ended; return the exit code of the service if it has."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if pid == 0:
            return None


def main(command: Sequence[str]) -> None:
    """Run the command of this process."""
    try:
        delay = Environment(os.environ).number("DRAIN_DELAY", 5, min_value=0, max_value=_MAX_DELAY)
    except SettingsError as error:
        sys.exit(str(error))
    sys.exit(run_service(command, delay=delay))


if __name__ == "__main__":
    main(sys.argv[1:])
