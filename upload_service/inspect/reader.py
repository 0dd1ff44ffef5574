"""Read parts of a file by offset, with a limit on how many bytes are read in total."""

import struct
from typing import BinaryIO

from upload_service.inspect.errors import damaged, limit_exceeded, truncated

MAX_BYTES = 48 << 20
"""Bytes read from one file: the tables of three hours at 60 frames per second are under 24 MiB."""

CHUNK = 1 << 20
"""The most bytes read at a time."""


class Reader:
    """Reads parts of one file.

    :param file: open for reading and seekable.
    :param size: bytes in the file. A file that ends before counts as cut short.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.size = size
        self._file = file
        self._bytes_left = MAX_BYTES
        self._cache = b""
        self._cache_offset = 0

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset`.

        :raises NotAVideo: the file ends before, or too much of it has been read.
        """
        start = offset - self._cache_offset
        if start >= 0 and start + length <= len(self._cache):
            return self._cache[start : start + length]
        self._bytes_left -= length
        if self._bytes_left < 0:
            raise limit_exceeded("has an index too large to read")
        self._file.seek(offset)
        data = self._file.read(length)
        while len(data) < length:
            piece = self._file.read(length - len(data))
            if not piece:
                raise truncated()
            data += piece
        return data

    def cache(self, start: int, end: int) -> None:
        """Read up to one chunk at once, so that reads inside it need no more system calls."""
        if end - start <= CHUNK:
            self._cache = self.read(start, end - start)
            self._cache_offset = start


def unpack(layout: str, data: bytes, offset: int = 0) -> tuple[int, ...]:
    """Unpack whole numbers, as `struct.unpack_from` does.

    :raises NotAVideo: the bytes are too short.
    """
    try:
        return struct.unpack_from(layout, data, offset)
    except struct.error as error:
        raise damaged("one of its parts is too short") from error
