"""Syncing and removing files and folders, on Linux and on systems that offer less."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from common.storage.errors import StorageFull

_REMOVALS = 100  # tries to remove a folder in which somebody goes on writing

# Not every system has fdatasync, which leaves out what nobody needs to read the bytes again.
sync_bytes: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


@contextmanager
def raising_storage_full() -> Iterator[None]:
    """Raise :class:`StorageFull` for errors that say so.

    :raises StorageFull: the volume or our quota on it is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(str(error)) from error
        raise


def sync_path(path: Path) -> None:
    """Make a file's bytes durable, or what was created, renamed or removed in a folder.

    :raises StorageFull: a volume that allocates late has no space.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with raising_storage_full():
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_folder(folder: Path) -> None:
    """Remove a folder and all in it, even while others remove it or still write to it."""
    for _ in range(_REMOVALS):
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            if not folder.exists():
                return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            sync_path(folder.parent)
            return
    raise OSError(errno.ENOTEMPTY, "somebody goes on writing", str(folder))
