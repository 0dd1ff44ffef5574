"""Boxes: the parts an MP4 file is made of (ISO/IEC 14496-12, 4.2).

A box must lie inside its parent. The bytes and the boxes read from one file are limited.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, NamedTuple

from common.translation import gettext
from upload_service.inspect.errors import damaged, limit_exceeded, truncated

MAX_BYTES = 48 << 20
"""Bytes read from one file: the tables of three hours at 60 frames per second are under 24 MiB."""

MAX_BOXES = 250_000
"""Boxes read from one file: three hours in fragments of half a second have 200,000."""

MAX_CHILDREN = 1000  # boxes that are looked at in one of the movie box's parts
CHUNK = 1 << 20  # the most bytes read at a time
_HEADER = struct.Struct(">I4s")
_LARGE_HEADER_SIZE = 16
_LARGE_SIZE = 1
_TO_THE_END = 0


class Box(NamedTuple):
    """Where a box is: `start` is its header, `body` its content, `end` the first byte after it."""

    kind: bytes
    start: int
    body: int
    end: int


class BoxReader:
    """Reads the boxes of one file, and counts bytes and boxes.

    :param file: open for reading, buffered and seekable.
    :param size: bytes in the file. A file that ends before counts as cut short.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.size = size
        self._file = file
        self._bytes_left = MAX_BYTES
        self._boxes_left = MAX_BOXES
        self._cache = b""
        self._cache_offset = 0

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset`."""
        start = offset - self._cache_offset
        if start >= 0 and start + length <= len(self._cache):
            return self._cache[start : start + length]
        self._bytes_left -= length
        if self._bytes_left < 0:
            raise limit_exceeded(gettext("it has an index too large to read"))
        self._file.seek(offset)
        data = self._file.read(length)
        if len(data) < length:
            raise truncated()
        return data

    def cache(self, start: int, end: int) -> None:
        """Read up to one chunk at once, so that reads inside it need no more system calls."""
        if end - start <= CHUNK:
            self._cache = self.read(start, end - start)
            self._cache_offset = start

    def body(self, box: Box, *, max_bytes: int = CHUNK) -> bytes:
        """Return the content of a box, or the first `max_bytes` of it."""
        return self.read(box.body, min(box.end - box.body, max_bytes))

    def box_at(self, offset: int, parent_end: int, *, may_be_open: bool) -> Box:
        """Read the header of the box at `offset`; eight bytes must be there.

        The box may end after `parent_end`: the caller decides what that means.

        :param may_be_open: whether a size of 0, "to the end of the file" (4.2), is allowed; the box
            then ends at `parent_end`.
        """
        self._boxes_left -= 1
        if self._boxes_left < 0:
            raise limit_exceeded(gettext("it is in too many small pieces"))
        size, kind = _HEADER.unpack(self.read(offset, _HEADER.size))
        body = offset + _HEADER.size
        if size == _LARGE_SIZE:
            if parent_end - offset < _LARGE_HEADER_SIZE:
                raise truncated()
            (size,) = struct.unpack(">Q", self.read(body, 8))
            body = offset + _LARGE_HEADER_SIZE
        elif size == _TO_THE_END and (may_be_open or not any(kind)):
            size = parent_end - offset
        if offset + size < body:
            raise damaged(gettext("one of its parts has an impossible size"))
        return Box(kind, offset, body, offset + size)

    def children(self, start: int, end: int) -> Iterator[Box]:
        """Iterate over the boxes between two offsets, one level deep.

        QuickTime ends some lists with zeros, so zeros, and fewer than eight bytes, are no box.
        """
        offset = start
        while end - offset >= _HEADER.size:
            box = self.box_at(offset, end, may_be_open=False)
            if box.end > end:
                raise damaged(gettext("one of its parts reaches past the part that holds it"))
            yield box
            offset = box.end

    def first_children(self, parent: Box, *, skip: int = 0) -> list[Box]:
        """Return the boxes in a box, at most `MAX_CHILDREN`.

        :param skip: bytes of its content before them.
        """
        return list(islice(self.children(parent.body + skip, parent.end), MAX_CHILDREN))

    def by_kind(self, parent: Box) -> dict[bytes, Box]:
        """Return the children of a box by their four letters; of several, the first."""
        return {box.kind: box for box in reversed(self.first_children(parent))}


def unpack(layout: str, data: bytes, offset: int = 0) -> tuple[int, ...]:
    """Unpack whole numbers, as `struct.unpack_from` does."""
    try:
        return struct.unpack_from(layout, data, offset)
    except struct.error as error:
        raise damaged(gettext("one of its parts is too short")) from error
