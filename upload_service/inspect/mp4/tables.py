"""The sample tables of a track (ISO/IEC 14496-12, 8.6.1 and 8.7): duration, and the last byte.

A long video has a million samples, so tables are read in chunks and summed by built-in functions,
not sample by sample. Memory stays at a few chunks whatever a table announces. A count is believed
only if the box that announces it can hold that many entries.
"""

import sys
from array import array
from collections.abc import Iterator
from itertools import chain, islice, repeat
from operator import add, mul

from common.translation import gettext, gettext_noop
from upload_service.inspect.errors import damaged, truncated
from upload_service.inspect.mp4.boxes import CHUNK, Box, BoxReader, unpack


def read_samples(reader: BoxReader, boxes: dict[bytes, Box]) -> tuple[int, int]:
    """Count a track's samples, sum their durations, and check that the file has all their bytes.

    :param boxes: the children of its `stbl` by their four letters.
    :return: the count, and the durations in the track's own timescale.
    """
    sizes = boxes.get(b"stsz") or boxes.get(b"stz2")
    offsets = boxes.get(b"stco") or boxes.get(b"co64")
    if sizes is None or offsets is None or b"stts" not in boxes or b"stsc" not in boxes:
        raise damaged(gettext("a track has no index"))
    timed, ticks = _durations(reader, boxes[b"stts"])
    count = _check_chunks(reader, sizes, boxes[b"stsc"], offsets)
    _must_agree(timed, count)
    return count, ticks


def read_table(reader: BoxReader, box: Box, *, skip: int, entry: int) -> Iterator[bytes]:
    """Read the entries of a table whose count stands before them; see :func:`read_entries`.

    :param skip: bytes of the content before the count.
    """
    (count,) = unpack(">I", reader.body(box, max_bytes=skip + 4), skip)
    return read_entries(reader, box, skip=skip + 4, count=count, entry=entry)


def read_entries(
    reader: BoxReader, box: Box, *, skip: int, count: int, entry: int
) -> Iterator[bytes]:
    """Read the entries of a table in pieces of whole entries, of at most `CHUNK` bytes.

    :param skip: bytes of the content before the first.
    :param entry: bytes of one entry.
    """
    start = box.body + skip
    end = start + count * entry
    if end > box.end:
        raise damaged(gettext("a table announces more than it holds"))
    step = CHUNK // entry * entry
    return (reader.read(offset, min(step, end - offset)) for offset in range(start, end, step))


def numbers(code: str, data: bytes) -> "array[int]":
    """Decode big-endian whole numbers: B for 8 bits, H for 16, I for 32, Q for 64."""
    values = array(code, data)
    if sys.byteorder == "little":
        values.byteswap()
    return values


def _durations(reader: BoxReader, stts: Box) -> tuple[int, int]:
    """Count samples and sum their durations (8.6.1.2)."""
    count = ticks = 0
    for data in read_table(reader, stts, skip=4, entry=8):
        words = numbers("I", data)
        counts = words[::2]
        count += sum(counts)
        ticks += sum(map(mul, counts, words[1::2]))
    return count, ticks


def _check_chunks(reader: BoxReader, sizes: Box, stsc: Box, offsets: Box) -> int:
    """Check where the samples of every chunk end (8.7.3 to 8.7.5); return how many there are."""
    announced, fixed, each = _sizes(reader, sizes)
    code, entry = ("I", 4) if offsets.kind == b"stco" else ("Q", 8)
    pieces = read_table(reader, offsets, skip=4, entry=entry)
    (chunks,) = unpack(">I", reader.read(offsets.body, 8), 4)
    per_chunk = _samples_per_chunk(reader, stsc, chunks)
    samples = total = 0
    for starts in (numbers(code, data) for data in pieces):
        counts = list(islice(per_chunk, len(starts)))
        lengths = [n * fixed if fixed else sum(islice(each, n)) for n in counts]
        samples += sum(counts)
        total += sum(lengths)
        if max(map(add, starts, lengths), default=0) > reader.size:
            raise truncated()
    if next(per_chunk, None) is not None:
        raise damaged(gettext(_OUT_OF_ORDER))
    if total > reader.size:
        raise damaged(gettext("its index lists more bytes than there are"))
    _must_agree(samples, announced)
    return announced


def _samples_per_chunk(reader: BoxReader, stsc: Box, chunks: int) -> Iterator[int]:
    """Yield how many samples each chunk holds (8.7.4).

    The table lists runs: the first chunk of each, and the number that all its chunks have.

    :param chunks: how many there are; the table may list more.
    """
    first, count = 1, 0
    for data in read_table(reader, stsc, skip=4, entry=12):
        words = numbers("I", data)
        for next_first, next_count in zip(words[::3], words[1::3], strict=True):
            if next_first < first or (next_first == first) != (count == 0):
                raise damaged(gettext(_OUT_OF_ORDER))
            yield from repeat(count, next_first - first)
            first, count = next_first, next_count
    yield from repeat(count, chunks + 1 - first)


_OUT_OF_ORDER = gettext_noop("its index is out of order")


def _sizes(reader: BoxReader, box: Box) -> tuple[int, int, Iterator[int]]:
    """Return the number of samples, the size they share or 0, and otherwise each one's size."""
    fixed, count = unpack(">II", reader.body(box, max_bytes=12), 4)
    bits = 32
    if box.kind == b"stz2":
        fixed, bits = 0, fixed & 0xFF
    if fixed:
        return count, fixed, iter(())
    if bits not in _CODES:
        raise damaged(gettext("a table has an impossible width"))
    pieces = read_table(reader, box, skip=8, entry=bits // 8)
    return count, 0, chain.from_iterable(numbers(_CODES[bits], data) for data in pieces)


_CODES = {8: "B", 16: "H", 32: "I"}


def _must_agree(one: int, other: int) -> None:
    """Reject tables that count different samples; real muxers are off by one or two at the end."""
    if abs(one - other) > max(2, min(one, other) // 100):
        raise damaged(gettext("the parts of its index do not agree"))
