"""Appending to an open file, and making what was appended durable."""

import ctypes
import os
from collections.abc import Callable
from typing import BinaryIO

from common.storage import durability

_COPY_PIECE = 16 << 20  # bytes

# Linux's sync_file_range(2), which Python does not offer; <fcntl.h> has the number.
_sync_file_range = getattr(ctypes.CDLL(None), "sync_file_range", None)
_SYNC_FILE_RANGE_WRITE = 2
if _sync_file_range is not None:
    _sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]


def file_size(file: BinaryIO) -> int:
    """Return how many bytes an open file has."""
    return os.fstat(file.fileno()).st_size


def truncate(file: BinaryIO, size: int) -> None:
    """Cut an open file to a size, and continue writing there."""
    os.ftruncate(file.fileno(), size)
    file.seek(size)


def append(file: BinaryIO, piece: bytes | memoryview) -> None:
    """Write all of a piece at the file's position.

    :raises StorageFull: the volume or our quota on it is full; a part may have been written.
    """
    rest = memoryview(piece)
    with durability.raising_storage_full():
        while rest:
            rest = rest[file.write(rest) :]


def append_from(
    source: BinaryIO, file: BinaryIO, *, start: int = 0, before_piece: Callable[[], None]
) -> None:
    """Append what another open file holds from `start` on; the system copies where it can.

    :param before_piece: called before each 16 MiB at most; it ends the copy by raising.
    :raises StorageFull: as for :func:`append`.
    """
    source.seek(start)
    while True:
        before_piece()
        try:
            with durability.raising_storage_full():
                copied = os.copy_file_range(source.fileno(), file.fileno(), _COPY_PIECE)
        except (AttributeError, OSError):
            break  # not on this system or between these files; what was copied stays
        if not copied:
            break
    while piece := source.read(_COPY_PIECE >> 4):
        before_piece()
        append(file, piece)


def begin_sync(file: BinaryIO, start: int, end: int) -> None:
    """Start writing a range of an open file to the disk, so that :func:`sync` waits for less.

    It guarantees nothing, and does nothing on a system that cannot.
    """
    if _sync_file_range is not None:
        _sync_file_range(file.fileno(), start, end - start, _SYNC_FILE_RANGE_WRITE)


def sync(file: BinaryIO) -> None:
    """Make what was appended durable. An offset is acknowledged only after this.

    :raises StorageFull: a volume that allocates late has no space.
    """
    with durability.raising_storage_full():
        durability.sync_bytes(file.fileno())
