"""Run Matinee on this machine for the demonstration, and fill it once."""

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from demo.fill import fill
from demo.states import set_progress, set_states
from standalone.settings import StandaloneSettings

ROOT = Path(__file__).parents[1]
FILMS_FOLDER = ROOT / "build" / "demo"
_FILLED = "filled"  # a file in the data folder: nothing is missing
_GRACE = 40  # seconds that Matinee has to end


@contextlib.contextmanager
def matinee(environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m standalone` once it is ready, and end it as Ctrl-C would.

    What it prints is printed. It has a session of its own, so that Ctrl-C at the terminal reaches
    this program alone.

    :raises SystemExit: it did not start; it has said why. Nothing was filled then: another site may
        be at its ports.
    """
    command = [sys.executable, "-m", "standalone"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            _wait_until_ready(process)
            threading.Thread(target=_pass_on, args=(process,), daemon=True).start()
            yield process
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            process.terminate()
            process.wait(_GRACE)


def _wait_until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        if "Ctrl-C" in line:
            return
    sys.exit(process.wait(_GRACE) or 1)


def _pass_on(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    with contextlib.suppress(ValueError):  # it was closed
        for line in process.stdout:
            print(line, end="", flush=True)


def tell(line: str) -> None:
    """Print a step of filling."""
    print(f"  {line}", flush=True)


def fill_here(settings: StandaloneSettings) -> None:
    """Fill the Matinee that runs with these settings, unless it was filled before."""
    filled = settings.data_dir / _FILLED
    if not filled.exists():
        tell("Filling the site. It can be used meanwhile.")
        made = fill(settings.urls[0], FILMS_FOLDER, tell=tell)
        tell("Waiting for the pictures of the last film")
        set_states(settings.data_dir, made.videos)
        filled.touch()
    set_progress(settings.data_dir)
