"""The demonstration site.

    python -m demo                  start Matinee on `data-demo` and fill it; until Ctrl-C
    python -m demo fill URL         fill a site that runs, or starts, and end

The data folder is `DATA_DIR`, or `data-demo`. Other settings are those of `make run`.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from common.settings import Environment, SettingsError
from demo.catalogue import ADMINISTRATOR, PASSWORD, PEOPLE
from demo.client import RequestRefused
from demo.fill import fill
from demo.rendering import Stopped
from demo.states import set_states
from standalone.settings import StandaloneSettings

ROOT = Path(__file__).parents[1]
FILMS_FOLDER = ROOT / "build" / "demo"
_FILLED = "filled"  # a file in the data folder: nothing is missing
_GRACE = 40  # seconds that Matinee has to end


def main() -> None:
    """Run what the arguments say."""
    signal.signal(signal.SIGTERM, lambda *_: _interrupt())
    try:
        match sys.argv[1:]:
            case []:
                _run()
            case ["fill", url]:
                folder = Path(os.environ.get("DEMO_FILMS_DIR", FILMS_FOLDER))
                fill(url, folder, tell=_tell)
                _tell_people()
            case _:
                sys.exit(__doc__)
    except (KeyboardInterrupt, Stopped):
        print("\nStopped. The next start goes on from here.", flush=True)
    except (RequestRefused, OSError) as error:
        sys.exit(f"The site cannot be filled: {error}")


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt


def _run() -> None:
    """Start Matinee, fill it if need be, and wait for Ctrl-C."""
    environ = {"DATA_DIR": str(ROOT / "data-demo"), **os.environ}
    try:
        settings = StandaloneSettings.read(Environment(environ))
    except SettingsError as error:
        sys.exit(str(error))
    url = settings.urls[0].replace("127.0.0.1", "localhost")
    filled = settings.data_dir / _FILLED
    with _matinee(environ) as process:
        if not filled.exists():
            print("Filling the demonstration. The site can be used meanwhile.", flush=True)
            made = fill(settings.urls[0], FILMS_FOLDER, tell=_tell)
            set_states(settings.data_dir, made.videos)
            filled.touch()
        _tell_people()
        print(f"Open {url}. Press Ctrl-C to stop.", flush=True)
        process.wait()
    if process.returncode:
        sys.exit(process.returncode)


@contextlib.contextmanager
def _matinee(environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m standalone`, and end it as Ctrl-C would.

    It has a session of its own, so that Ctrl-C at the terminal reaches this program alone.
    """
    command = [sys.executable, "-m", "standalone"]
    process = subprocess.Popen(command, cwd=ROOT, env=environ, start_new_session=True)
    try:
        yield process
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        process.terminate()
        process.wait(_GRACE)


def _tell(line: str) -> None:
    print(f"  {line}", flush=True)


def _tell_people() -> None:
    names = ", ".join(f"{name} ({role})" for name, role in PEOPLE.items())
    print(f"Accounts: {names}. The password of each is: {PASSWORD}", flush=True)
    print(f"Begin as {ADMINISTRATOR}, the administrator.", flush=True)


if __name__ == "__main__":
    main()
