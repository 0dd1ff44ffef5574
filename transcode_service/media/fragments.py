"""Read the fragments of an MP4 file with one track, as ffmpeg wrote it (ISO/IEC 14496-12, 8.8).

The file is our own, so anything missing in it is a bug.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_DURATION, _SIZE, _FLAGS, _TIME_OFFSET = 0x100, 0x200, 0x400, 0x800
_NOT_SYNC = 0x10000


@dataclass(frozen=True)
class Fragment:
    """A fragment: bytes from `at`, `size` of them; `first` of these end with its first sample.

    :ivar begin: seconds, of the first sample as decoded.
    """

    at: int
    size: int
    first: int
    begin: float
    duration: float
    samples: int
    keyframe: bool


@dataclass(frozen=True)
class FragmentedTrack:
    """The one track of a file: the bytes before its fragments, its codec, and its fragments."""

    header: int
    codecs: str
    fragments: tuple[Fragment, ...]


def read_fragments(path: Path) -> FragmentedTrack:
    """Return what a fragmented MP4 file with one track holds.

    :raises ValueError: it is no such file.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        header, codecs, timescale, defaults = 0, "", 0, (0, 0, 0)
        fragments: list[Fragment] = []
        pending: bytes | None = None
        moof_at = 0
        for kind, at, begin, end in _boxes(file, 0, size):
            if kind == b"moov":
                moov = _read(file, begin, end)
                header = end
                timescale, codecs, defaults = _read_moov(moov)
            elif kind == b"moof":
                pending, moof_at = _read(file, begin, end), at
            elif kind == b"mdat" and pending is not None:
                fragments.append(_fragment(pending, moof_at, end, timescale, defaults))
                pending = None
    if not fragments or not timescale:
        raise ValueError(f"{path.name} has no fragments")
    return FragmentedTrack(header, codecs, tuple(fragments))


def read_channels(path: Path) -> int:
    """Return how many audio channels a file has.

    :raises ValueError: it is no audio file of ours.
    """
    with path.open("rb") as file:
        for kind, _, begin, end in _boxes(file, 0, path.stat().st_size):
            if kind == b"moov":
                moov = _read(file, begin, end)
                entries = find(moov, b"trak", b"mdia", b"minf", b"stbl", b"stsd")[8:]
                config = _decoder_config(find(entries[8 + 28 :], b"esds"))
                # Bits 9 to 12, after a type of 5 and a rate of 4. What the sample entry says is 2.
                return int.from_bytes(config[:2], "big") >> 3 & 15
    raise ValueError(f"{path.name} has no index")


def _read_moov(moov: bytes) -> tuple[int, str, tuple[int, int, int]]:
    mdhd = find(moov, b"trak", b"mdia", b"mdhd")
    (timescale,) = struct.unpack_from(">I", mdhd, 20 if mdhd[0] else 12)
    trex = find(moov, b"mvex", b"trex")
    duration, size, flags = struct.unpack_from(">3I", trex, 12)
    return timescale, name_codecs(moov), (duration, size, flags)


def _fragment(
    moof: bytes, at: int, end: int, timescale: int, defaults: tuple[int, int, int]
) -> Fragment:
    traf = find(moof, b"traf")
    duration, size, flags = _defaults_of(find(traf, b"tfhd"), defaults)
    tfdt = find(traf, b"tfdt")
    (begin,) = struct.unpack_from(">Q" if tfdt[0] else ">I", tfdt, 4)
    total = samples = 0
    first: tuple[int, int] | None = None
    data_end = 0
    for trun in find_all(traf, b"trun"):
        offset, entries = _run(trun, (duration, size, flags))
        for sample_duration, sample_size, sample_flags in entries:
            if first is None:
                first, data_end = (sample_size, sample_flags), offset + sample_size
            total += sample_duration
            samples += 1
    if first is None:
        raise ValueError("a fragment has no samples")
    return Fragment(
        at=at,
        size=end - at,
        first=data_end,
        begin=begin / timescale,
        duration=total / timescale,
        samples=samples,
        keyframe=not first[1] & _NOT_SYNC,
    )


def _defaults_of(tfhd: bytes, defaults: tuple[int, int, int]) -> tuple[int, int, int]:
    flags = int.from_bytes(tfhd[1:4], "big")
    at = 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
    found = list(defaults)
    for number, flag in enumerate((0x8, 0x10, 0x20)):
        if flags & flag:
            (found[number],) = struct.unpack_from(">I", tfhd, at)
            at += 4
    return found[0], found[1], found[2]


def _run(trun: bytes, defaults: tuple[int, int, int]) -> tuple[int, list[tuple[int, int, int]]]:
    """Return where a run's data begins, and the duration, size and flags of its samples."""
    flags = int.from_bytes(trun[1:4], "big")
    (count,) = struct.unpack_from(">I", trun, 4)
    at, offset, first_flags = 8, 0, None
    if flags & _DATA_OFFSET:
        (offset,) = struct.unpack_from(">i", trun, at)
        at += 4
    if flags & _FIRST_FLAGS:
        (first_flags,) = struct.unpack_from(">I", trun, at)
        at += 4
    columns = [flag for flag in (_DURATION, _SIZE, _FLAGS, _TIME_OFFSET) if flags & flag]
    values = struct.unpack_from(f">{count * len(columns)}I", trun, at)
    samples = []
    for number in range(count):
        row = dict(zip(columns, values[number * len(columns) :], strict=False))
        sample_flags = row.get(_FLAGS, defaults[2])
        if number == 0 and first_flags is not None:
            sample_flags = first_flags
        samples.append((row.get(_DURATION, defaults[0]), row.get(_SIZE, defaults[1]), sample_flags))
    return offset, samples


def _boxes(file: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield each box's kind, start, and the start and end of its content."""
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        begin = at + 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            begin += 8
        if size < begin - at or at + size > end:
            raise ValueError("a box does not fit into its file")
        yield kind, at, begin, at + size
        at += size


def _read(file: BinaryIO, begin: int, end: int) -> bytes:
    file.seek(begin)
    return file.read(end - begin)


def find_all(content: bytes, kind: bytes) -> Iterator[bytes]:
    """Yield the content of each box of a kind."""
    at = 0
    while at + 8 <= len(content):
        size, found = struct.unpack_from(">I4s", content, at)
        if size < 8:
            raise ValueError("a box is smaller than its header")
        if found == kind:
            yield content[at + 8 : at + size]
        at += size


def find(content: bytes, *path: bytes) -> bytes:
    """Return the content of the first box on a path of kinds.

    :raises ValueError: there is none.
    """
    for kind in path:
        inner = next(find_all(content, kind), None)
        if inner is None:
            raise ValueError(f"there is no {kind!r}")
        content = inner
    return content


def name_codecs(moov: bytes) -> str:
    """Return the codec of a movie with one track, as RFC 6381 names it.

    Only what we write: H.264 (ISO/IEC 14496-15, 5.3.3.1.2) and AAC (RFC 6381, 3.3).
    """
    entries = find(moov, b"trak", b"mdia", b"minf", b"stbl", b"stsd")[8:]
    kind = entries[4:8]
    if kind in (b"avc1", b"avc3"):
        config = find(entries[8 + 78 :], b"avcC")
        return f"{kind.decode()}.{config[1:4].hex()}"
    if kind == b"mp4a":
        esds = find(entries[8 + 28 :], b"esds")
        return f"mp4a.40.{_object_type(esds)}"
    raise ValueError(f"not a codec that we write: {kind!r}")


def _object_type(esds: bytes) -> int:
    """ISO/IEC 14496-3, 1.6.2.1: the first bits of the decoder's configuration."""
    config = _decoder_config(esds)
    kind = config[0] >> 3
    return kind if kind != 31 else 32 + (int.from_bytes(config[:2], "big") >> 5 & 63)


def _decoder_config(esds: bytes) -> bytes:
    """ISO/IEC 14496-1, 7.2.6: the descriptor of tag 5 in that of tag 4 in that of tag 3."""
    at = 4
    while at + 2 < len(esds):
        tag = esds[at]
        at += 1
        while esds[at] & 0x80:
            at += 1
        at += 1
        if tag == 5:
            return esds[at:]
        at += {3: 3, 4: 13}.get(tag, 0)
    raise ValueError("the audio has no decoder configuration")
