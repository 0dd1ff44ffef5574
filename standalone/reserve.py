"""Room on the disk that is given back when everything else is full.

Without it a full disk would stop sign-in and deletion: the database and the session store write a
little for each. Uploads and processing leave more than this free, so only other programs fill it.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

SIZE = 16 << 20  # bytes
LOW = 2 << 20  # bytes; with less than this free the reserve is given back
ENOUGH = 4 * SIZE  # bytes; with more than this free it is made again
_PIECE = 1 << 20


def keep_reserve(file: Path) -> None:
    """Make the reserve where there is room for it, or give it back where there is none left.

    To be called every second or so. What a file system cannot do is left for the next call.
    """
    with suppress(OSError):
        free = shutil.disk_usage(file.parent).free
        if free < LOW:
            file.unlink(missing_ok=True)
        elif free > ENOUGH and not file.exists():
            _fill(file)


def _fill(file: Path) -> None:
    """Write bytes that no file system can leave out or compress."""
    part = file.with_suffix(".part")
    with part.open("wb") as output:
        for _ in range(SIZE // _PIECE):
            output.write(os.urandom(_PIECE))
    part.rename(file)
