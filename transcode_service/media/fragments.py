"""Read the fragments of an MP4 file with one track, as ffmpeg wrote it (ISO/IEC 14496-12, 8.8).

The file is our own, so anything missing in it is a bug.
"""

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_DURATION, _SIZE, _FLAGS, _TIME_OFFSET = 0x100, 0x200, 0x400, 0x800
_NOT_SYNC = 0x10000

_Sample = tuple[int, int, int]  # duration, size and flags


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
    header, codecs, timescale, defaults = 0, "", 0, (0, 0, 0)
    fragments: list[Fragment] = []
    moof, moof_at = b"", 0
    with _mapped(path) as content:
        for kind, at, begin, end in _boxes(content):
            if kind == b"moov":
                moov, header = content[begin:end], end
                mdhd = find(moov, b"trak", b"mdia", b"mdhd")
                (timescale,) = struct.unpack_from(">I", mdhd, 20 if mdhd[0] else 12)
                defaults = struct.unpack_from(">3I", find(moov, b"mvex", b"trex"), 12)
                codecs = name_codecs(moov)
            elif kind == b"moof":
                moof, moof_at = content[begin:end], at
            elif kind == b"mdat" and moof:
                fragments.append(_fragment(moof, moof_at, end, timescale, defaults))
                moof = b""
    if not fragments or not timescale:
        raise ValueError(f"{path.name} has no fragments")
    return FragmentedTrack(header, codecs, tuple(fragments))


def read_channels(path: Path) -> int:
    """Return how many audio channels a file has.

    :raises ValueError: it is no audio file of ours.
    """
    with _mapped(path) as content:
        moov = find(content, b"moov")
    config = _decoder_config(find(_sample_entry(moov)[8 + 28 :], b"esds"))
    # Bits 9 to 12, after a type of 5 and a rate of 4. What the sample entry says is 2.
    return int.from_bytes(config[:2], "big") >> 3 & 15


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content


def _fragment(moof: bytes, at: int, end: int, timescale: int, defaults: _Sample) -> Fragment:
    traf = find(moof, b"traf")
    defaults = _defaults_of(find(traf, b"tfhd"), defaults)
    tfdt = find(traf, b"tfdt")
    (begin,) = struct.unpack_from(">Q" if tfdt[0] else ">I", tfdt, 4)
    runs = [
        _run(traf[content:end_], defaults)
        for kind, _, content, end_ in _boxes(traf)
        if kind == b"trun"
    ]
    samples = [sample for _, run in runs for sample in run]
    if not samples:
        raise ValueError("a fragment has no samples")
    offset = next(offset for offset, run in runs if run)
    _, first_size, first_flags = samples[0]
    return Fragment(
        at=at,
        size=end - at,
        first=offset + first_size,
        begin=begin / timescale,
        duration=sum(duration for duration, _, _ in samples) / timescale,
        samples=len(samples),
        keyframe=not first_flags & _NOT_SYNC,
    )


def _defaults_of(tfhd: bytes, defaults: _Sample) -> _Sample:
    flags = int.from_bytes(tfhd[1:4], "big")
    at = 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
    fields = [flag for flag in (0x8, 0x10, 0x20) if flags & flag]
    own = dict(zip(fields, struct.unpack_from(f">{len(fields)}I", tfhd, at), strict=True))
    duration, size, sample_flags = defaults
    return own.get(0x8, duration), own.get(0x10, size), own.get(0x20, sample_flags)


def _run(trun: bytes, defaults: _Sample) -> tuple[int, list[_Sample]]:
    """Return where a run's data begins, and its samples."""
    flags = int.from_bytes(trun[1:4], "big")
    (count,) = struct.unpack_from(">I", trun, 4)
    at, offset = 8, 0
    if flags & _DATA_OFFSET:
        (offset,) = struct.unpack_from(">i", trun, at)
        at += 4
    first_flags = struct.unpack_from(">I", trun, at) if flags & _FIRST_FLAGS else ()
    at += 4 * len(first_flags)
    columns = [flag for flag in (_DURATION, _SIZE, _FLAGS, _TIME_OFFSET) if flags & flag]
    duration, size, sample_flags = defaults
    samples = []
    for number in range(count):
        values = struct.unpack_from(f">{len(columns)}I", trun, at + 4 * len(columns) * number)
        row = dict(zip(columns, values, strict=True))
        its_flags = first_flags[0] if first_flags and not number else row.get(_FLAGS, sample_flags)
        samples.append((row.get(_DURATION, duration), row.get(_SIZE, size), its_flags))
    return offset, samples


def _boxes(content: bytes | mmap.mmap) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield each box's kind, start, and the start and end of its content."""
    at = 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        begin = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, begin)
            begin += 8
        if size < begin - at or at + size > len(content):
            raise ValueError("a box does not fit into what it is in")
        yield kind, at, begin, at + size
        at += size


def find(content: bytes | mmap.mmap, *path: bytes) -> bytes:
    """Return the content of the first box on a path of kinds.

    :raises ValueError: there is none.
    """
    for wanted in path:
        places = (content[begin:end] for kind, _, begin, end in _boxes(content) if kind == wanted)
        inner = next(places, None)
        if inner is None:
            raise ValueError(f"there is no {wanted!r}")
        content = inner
    return bytes(content)


def _sample_entry(moov: bytes) -> bytes:
    """Return the first entry of the sample description of a movie with one track."""
    return find(moov, b"trak", b"mdia", b"minf", b"stbl", b"stsd")[8:]


def name_codecs(moov: bytes) -> str:
    """Return the codec of a movie with one track, as RFC 6381 names it.

    Only what we write: H.264 (ISO/IEC 14496-15, 5.3.3.1.2) and AAC (RFC 6381, 3.3).
    """
    entry = _sample_entry(moov)
    kind = entry[4:8]
    if kind in (b"avc1", b"avc3"):
        config = find(entry[8 + 78 :], b"avcC")
        return f"{kind.decode()}.{config[1:4].hex()}"
    if kind == b"mp4a":
        esds = find(entry[8 + 28 :], b"esds")
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
