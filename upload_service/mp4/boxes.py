"""Boxes: the parts an MP4 file is made of (ISO/IEC 14496-12, 4.2), read within bounds.

Nothing here trusts a number from the file: a box must lie inside its parent, and the reader refuses
to go on once it has read or visited more than a real video needs.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from upload_service.mp4.refusals import cut_short, damaged, too_much

MAX_BOXES = 250_000
"""Boxes visited in one file: three hours in fragments of half a second have 200,000."""

MAX_BYTES = 48 << 20
"""Bytes read from one file: the tables of three hours at 60 frames a second are under 24 MiB."""

SLICE = 1 << 20
"""Bytes read at a time."""

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


class Reader:
    """Read parts of a file by offset, counting what that costs.

    :param size: bytes in the file. Fewer on disk count as cut short.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.size = size
        self._boxes_left = MAX_BOXES
        self._bytes_left = MAX_BYTES
        self._held_from = 0
        self._held = b""

    def read(self, at: int, length: int) -> bytes:
        """Return exactly `length` bytes from offset `at`.

        :raises NotAVideo: the file ends before, or too much of it has been read.
        """
        held_at = at - self._held_from
        if held_at >= 0 and held_at + length <= len(self._held):
            return self._held[held_at : held_at + length]
        self._bytes_left -= length
        if self._bytes_left < 0:
            raise too_much("has an index too large to read")
        self._file.seek(at)
        data = self._file.read(length)
        while len(data) < length:
            more = self._file.read(length - len(data))
            if not more:
                raise cut_short()
            data += more
        return data

    def hold(self, box: Box) -> None:
        """Read a box of up to one slice at once, so that what it holds costs no further calls."""
        if box.end - box.start <= SLICE:
            self._held = self.read(box.start, box.end - box.start)
            self._held_from = box.start

    def body(self, box: Box, *, most: int = SLICE) -> bytes:
        """Return the content of a box, or the first `most` bytes of it."""
        return self.read(box.body, min(box.end - box.body, most))

    def box_at(self, at: int, parent_end: int, *, may_be_open: bool) -> Box:
        """Read the header of the box at offset `at`; eight bytes must be there.

        The box may reach past `parent_end`: the caller knows what that means at its level.

        :param may_be_open: whether a size of 0, "to the end of the file" (4.2), is allowed; the box
            then ends at `parent_end`.
        :raises NotAVideo: the box is smaller than its own header, or there are too many.
        """
        self._boxes_left -= 1
        if self._boxes_left < 0:
            raise too_much("is in too many small pieces")
        held_at = at - self._held_from
        if 0 <= held_at <= len(self._held) - _HEADER_SIZE:  # In Python, a call saved counts.
            size, kind = _HEADER.unpack_from(self._held, held_at)
        else:
            size, kind = _HEADER.unpack(self.read(at, _HEADER_SIZE))
        body = at + _HEADER_SIZE
        if size == _LARGE_SIZE:
            if parent_end - at < _LARGE_HEADER_SIZE:
                raise cut_short()
            (size,) = struct.unpack(">Q", self.read(body, 8))
            body = at + _LARGE_HEADER_SIZE
        elif size == _TO_THE_END and (may_be_open or not any(kind)):
            size = parent_end - at
        if at + size < body:
            raise damaged("one of its parts has an impossible size")
        return Box(kind, at, body, at + size)

    def children(self, start: int, end: int) -> Iterator[Box]:
        """Walk the boxes between two offsets, one level deep.

        QuickTime closes some lists with zeros, so those, and fewer than eight bytes, are no box.

        :raises NotAVideo: a box reaches past `end`, or is smaller than its own header.
        """
        at = start
        while end - at >= _HEADER_SIZE:
            box = self.box_at(at, end, may_be_open=False)
            if box.end > end:
                raise damaged("one of its parts reaches past the part that holds it")
            yield box
            at = box.end


def unpack(layout: str, data: bytes, at: int = 0) -> tuple[int, ...]:
    """Unpack whole numbers from the content of a box.

    :raises NotAVideo: the box is too short for them.
    """
    try:
        return struct.unpack_from(layout, data, at)
    except struct.error as error:
        raise damaged("one of its parts is too short") from error
