"""Writing to a file that is open: past the system's cache where that is quicker, and durably."""

import errno
import fcntl
import os
from typing import BinaryIO

from common.storage import disk

_COPY_PIECE = 16 << 20  # bytes


class OpenFiles:
    """What can be done with an open file, whoever opened it."""

    @staticmethod
    def size(file: BinaryIO) -> int:
        """Return how many bytes an open file has."""
        return os.fstat(file.fileno()).st_size

    @staticmethod
    def cut(file: BinaryIO, size: int) -> None:
        """Take an open file back to a size, and go on from there."""
        os.ftruncate(file.fileno(), size)
        file.seek(size)

    @staticmethod
    def append(file: BinaryIO, piece: "bytes | memoryview") -> None:
        """Write all of a piece to a file that was opened for it.

        :raises StorageFull: the volume, or the share of it that we may use, is full.
        """
        rest = memoryview(piece)
        with disk.telling_full():
            while rest:
                rest = rest[file.write(rest) :]

    @classmethod
    def append_directly(cls, file: BinaryIO, piece: memoryview) -> bool:
        """Append as :meth:`append` does, past the system's cache, which costs a copy of each byte.

        :param piece: whole pages (4 KiB) of memory that begins with one, as the file's end does.
        :returns: whether that was possible; nothing is written otherwise.
        :raises StorageFull: as for :meth:`append`.
        """
        if not disk.O_DIRECT:
            return False
        flags = fcntl.fcntl(file, fcntl.F_GETFL)
        try:
            with disk.telling_full():
                fcntl.fcntl(file, fcntl.F_SETFL, flags | disk.O_DIRECT)
                try:
                    rest = piece[file.write(piece) :]
                    if rest:  # the volume is full, and says so now
                        cls.append(file, rest)
                finally:
                    fcntl.fcntl(file, fcntl.F_SETFL, flags)
        except OSError as error:
            if error.errno == errno.EINVAL:
                return False
            raise
        return True

    @classmethod
    def append_from(cls, source: BinaryIO, file: BinaryIO, *, start: int = 0) -> None:
        """Append what another open file holds from `start` on; the system copies where it can.

        :raises StorageFull: as for :meth:`append`.
        """
        source.seek(start)
        while True:
            try:
                with disk.telling_full():
                    copied = os.copy_file_range(source.fileno(), file.fileno(), _COPY_PIECE)
            except (AttributeError, OSError):
                break  # not on this system or between these files; what was copied stays
            if not copied:
                break
        while piece := source.read(_COPY_PIECE >> 4):
            cls.append(file, piece)

    @staticmethod
    def begin_sync(file: BinaryIO, start: int, end: int) -> None:
        """Let the disk begin with a stretch of an open file; :meth:`sync` waits for less then.

        It promises nothing, and does nothing on a system that cannot.
        """
        disk.begin_sync(file.fileno(), start, end)

    @staticmethod
    def sync(file: BinaryIO) -> None:
        """Make what was appended durable: an acknowledgement may follow, and not before.

        :raises StorageFull: a volume that allots room late has none.
        """
        with disk.telling_full():
            disk.sync_bytes(file.fileno())
