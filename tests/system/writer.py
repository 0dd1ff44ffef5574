"""Ends whoever writes an upload, at a moment that is told.

Run where the upload service runs: `python writer.py UPLOAD [PROCESS ...]`. It looks, among those
processes or all that it can see, for the one that has the upload's file open, prints its id, waits
for a line, and sends SIGKILL. It uses only the standard library: in a container it is all there is.
"""

import os
import signal
import sys
import time
from pathlib import Path

PATIENCE = 20  # seconds


def find_writer(upload: str, processes: list[str]) -> int:
    """Return the id of the process that has the upload's file open; 0 if none has."""
    for process in processes or [path.name for path in Path("/proc").glob("[0-9]*")]:
        try:
            names = [str(link.readlink()) for link in Path(f"/proc/{process}/fd").iterdir()]
        except OSError:  # it has ended, has just closed one, or is not ours to look into
            continue
        if any(upload in name for name in names):
            return int(process)
    return 0


def main() -> None:
    """Find the writer, wait for the word, and end it."""
    upload, *processes = sys.argv[1:]
    deadline = time.monotonic() + PATIENCE
    while not (found := find_writer(upload, processes)):
        if time.monotonic() > deadline:
            sys.exit("nobody writes this upload")
    sys.stdout.write(f"{found}\n")
    sys.stdout.flush()
    if sys.stdin.readline():
        os.kill(found, signal.SIGKILL)


if __name__ == "__main__":
    main()
