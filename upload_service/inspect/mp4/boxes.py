"""Boxes: the parts an MP4 file is made of (ISO/IEC 14496-12, 4.2).

A box must lie inside its parent, and the number of boxes read from one file is limited.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from upload_service.inspect.errors import damaged, limit_exceeded, truncated
from upload_service.inspect.reader import CHUNK, Reader

MAX_BOXES = 250_000
"""Boxes read from one file: three hours in fragments of half a second have 200,000."""

_HEADER = struct.Struct(">I4s")
_HEADER_SIZE = 8
_LARGE_HEADER_SIZE = 16
_LARGE_SIZE = 1
_TO_THE_END = 0


class Box(NamedTuple):
    """Where a box is: `start` is its header, `body` its content, `end` the first byte after it."""

    kind: bytes
    start: int
    body: int
    end: int


class BoxReader(Reader):
    """Reads the boxes of a file, and counts them."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__(file, size)
        self._boxes_left = MAX_BOXES

    def body(self, box: Box, *, max_bytes: int = CHUNK) -> bytes:
        """Return the content of a box, or the first `max_bytes` of it."""
        return self.read(box.body, min(box.end - box.body, max_bytes))

    def box_at(self, offset: int, parent_end: int, *, may_be_open: bool) -> Box:
        """Read the header of the box at `offset`; eight bytes must be there.

        The box may end after `parent_end`: the caller decides what that means.

        :param may_be_open: whether a size of 0, "to the end of the file" (4.2), is allowed; the box
            then ends at `parent_end`.
        :raises NotAVideo: the box is smaller than its own header, or there are too many.
        """
        self._boxes_left -= 1
        if self._boxes_left < 0:
            raise limit_exceeded("is in too many small pieces")
        cached = offset - self._cache_offset
        if 0 <= cached <= len(self._cache) - _HEADER_SIZE:  # avoids a call for each box
            size, kind = _HEADER.unpack_from(self._cache, cached)
        else:
            size, kind = _HEADER.unpack(self.read(offset, _HEADER_SIZE))
        body = offset + _HEADER_SIZE
        if size == _LARGE_SIZE:
            if parent_end - offset < _LARGE_HEADER_SIZE:
                raise truncated()
            (size,) = struct.unpack(">Q", self.read(body, 8))
            body = offset + _LARGE_HEADER_SIZE
        elif size == _TO_THE_END and (may_be_open or not any(kind)):
            size = parent_end - offset
        if offset + size < body:
            raise damaged("one of its parts has an impossible size")
        return Box(kind, offset, body, offset + size)

    def children(self, start: int, end: int) -> Iterator[Box]:
        """Iterate over the boxes between two offsets, one level deep.

        QuickTime ends some lists with zeros, so zeros, and fewer than eight bytes, are no box.

        :raises NotAVideo: a box ends after `end`, or is smaller than its own header.
        """
        offset = start
        while end - offset >= _HEADER_SIZE:
            box = self.box_at(offset, end, may_be_open=False)
            if box.end > end:
                raise damaged("one of its parts reaches past the part that holds it")
            yield box
            offset = box.end
