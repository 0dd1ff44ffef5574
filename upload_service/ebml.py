"""Elements: the parts a Matroska or WebM file is made of (RFC 8794), read within bounds.

As with MP4 boxes, no number of the file is trusted: an element must lie inside the one that holds
it, and only those that may be of unknown size are.
"""

import math
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from upload_service.mp4.boxes import Reader
from upload_service.mp4.refusals import cut_short, damaged, too_much

MAX_ELEMENTS = 250_000
"""Elements visited in one file: 48 hours in clusters of a second are 172,800."""

_LONGEST_HEADER = 12  # four bytes of id, eight of size
_LONGEST_VALUE = 1 << 16


class Element(NamedTuple):
    """Where an element is: `start` is its header, `body` its content, `end` the byte after it.

    :ivar is_open: its size is unknown (RFC 8794, 6.2); it then reaches to its parent's end at most.
    """

    id: int
    start: int
    body: int
    end: int
    is_open: bool


class Elements:
    """Reads the elements of a file by offset, counting what that costs."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._reader = Reader(file, size)
        self._left = MAX_ELEMENTS
        self.size = size

    def at(self, at: int, end: int) -> Element:
        """Read the header of the element at an offset. It may reach past `end`.

        :raises NotAVideo: there is none, or there are too many.
        """
        self._left -= 1
        if self._left < 0:
            raise too_much("is in too many small pieces")
        head = self._reader.read(at, min(_LONGEST_HEADER, end - at))
        id_length = _length_of(head, 0)
        if id_length > 4:
            raise damaged("a part of it has no name")
        size_length = _length_of(head, id_length)
        body = at + id_length + size_length
        raw = int.from_bytes(head[id_length : id_length + size_length], "big")
        mask = (1 << 7 * size_length) - 1
        size, is_open = raw & mask, raw & mask == mask
        name = int.from_bytes(head[:id_length], "big")
        return Element(name, at, body, end if is_open else body + size, is_open)

    def children(self, parent: Element) -> Iterator[Element]:
        """Walk what an element holds, one level deep.

        :raises NotAVideo: one is of unknown size, or reaches past its parent.
        """
        at = parent.body
        while at < parent.end:
            child = self.at(at, parent.end)
            if child.is_open or child.end > parent.end:
                raise damaged("one of its parts reaches past the part that holds it")
            yield child
            at = child.end

    def bytes_of(self, element: Element, most: int = _LONGEST_VALUE) -> bytes:
        """Return the content of an element, or the first `most` bytes of it."""
        return self._reader.read(element.body, min(element.end - element.body, most))

    def number(self, element: Element) -> int:
        """Return an unsigned whole number (RFC 8794, 7.2)."""
        if element.end - element.body > 8:
            raise damaged("one of its numbers is too long")
        return int.from_bytes(self.bytes_of(element), "big")

    def real(self, element: Element) -> float:
        """Return a floating-point number (RFC 8794, 7.3)."""
        data = self.bytes_of(element, 9)
        if len(data) not in (4, 8):
            raise damaged("one of its numbers is too long")
        value: float = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
        if not math.isfinite(value):
            raise damaged("one of its numbers is none")
        return value

    def text(self, element: Element) -> str:
        """Return a string, without the zeros that may fill it up (RFC 8794, 7.4)."""
        return self.bytes_of(element, 256).split(b"\0")[0].decode("latin-1")


def _length_of(head: bytes, at: int) -> int:
    """Return how long a number of variable size is, by its first byte (RFC 8794, 4.1)."""
    if at >= len(head):
        raise cut_short()
    length = 9 - head[at].bit_length()
    if length > 8:
        raise damaged("a part of it has an impossible size")
    if at + length > len(head):
        raise cut_short()
    return length
