"""The demonstration site.

    python -m demo                  start Matinee on `data-demo` and fill it; until Ctrl-C
    python -m demo fill URL         fill a site that runs, or starts, and end

The data folder is `DATA_DIR`, or `data-demo`. Other settings are those of `make run`.
"""

import os
import signal
import sys
from pathlib import Path

from common.settings import Environment, SettingsError
from demo.catalogue import ADMINISTRATOR, PASSWORD, PEOPLE
from demo.client import RequestRefused
from demo.fill import SiteInUse, fill
from demo.rendering import Stopped
from demo.running import FILMS_FOLDER, ROOT, fill_here, matinee, tell
from standalone.settings import StandaloneSettings


def main() -> None:
    """Run what the arguments say."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        match sys.argv[1:]:
            case []:
                _run()
            case ["fill", url]:
                folder = Path(os.environ.get("DEMO_FILMS_DIR", FILMS_FOLDER))
                fill(url, folder, tell=tell)
                _tell_people()
            case _:
                sys.exit(__doc__)
    except (KeyboardInterrupt, Stopped):
        print("\nStopped. The next start goes on from here.", flush=True)
    except (RequestRefused, SiteInUse, OSError) as error:
        sys.exit(f"The site cannot be filled: {error}")


def _run() -> None:
    """Start Matinee, fill it if need be, and wait for Ctrl-C."""
    environ = {"DATA_DIR": str(ROOT / "data-demo"), **os.environ}
    try:
        settings = StandaloneSettings.read(Environment(environ))
    except SettingsError as error:
        sys.exit(str(error))
    url = settings.urls[0].replace("127.0.0.1", "localhost")
    with matinee(environ) as process:
        fill_here(settings)
        _tell_people()
        print(f"Open {url}. Press Ctrl-C to stop.", flush=True)
        process.wait()
    if process.returncode:
        sys.exit(process.returncode)


def _tell_people() -> None:
    names = ", ".join(f"{name} ({role})" for name, role in PEOPLE.items())
    print(f"Accounts: {names}. The password of each is: {PASSWORD}", flush=True)
    print(f"Begin as {ADMINISTRATOR}, the administrator.", flush=True)


if __name__ == "__main__":
    main()
