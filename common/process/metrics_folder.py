"""The folder where the processes of one service share their counters, for one run.

It is locked while any process of the run lives, so that the next run can tell which folders a
killed one has left behind.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from common.file_lock import is_at, try_lock

_PREFIX = "matinee-metrics-"


def make_metrics_folder(parent: Path) -> Path:
    """Make a locked folder, after removing those of runs that have ended.

    The lock lasts until this process and all those that it has forked have ended.

    :param parent: where the folders of all runs are; preferably in memory, since the counters are
        mapped files, and a full disk kills whoever writes to one.
    """
    for old in parent.glob(f"{_PREFIX}*"):
        _remove_unlocked(old)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        # Another service that starts may take it for an old one until it is locked.
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        if try_lock(lock) and is_at(lock, folder):
            return folder
        os.close(lock)


def _remove_unlocked(folder: Path) -> None:
    """Remove a folder if no process holds its lock; leave another user's."""
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            if try_lock(lock):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
