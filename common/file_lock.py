"""Locks that are a file's own (flock): the end of a process, however it ends, gives them up."""

import fcntl
import os
from pathlib import Path
from typing import BinaryIO


def try_lock(file: int | BinaryIO, how: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file, or tell that somebody else holds its lock.

    :param how: `fcntl.LOCK_EX` or `fcntl.LOCK_SH`.
    """
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_at(file: int, path: Path) -> bool:
    """Tell whether an open file is still the one at a path.

    To be asked once it is locked: whoever held the lock before may have removed or replaced it.
    """
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
