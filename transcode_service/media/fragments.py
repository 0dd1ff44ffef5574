"""Read the fragments of an MP4 file with one track, as ffmpeg wrote it (ISO/IEC 14496-12, 8.8).

The file is our own, so anything missing in it is a bug.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

HEADER_LIMIT = 64 << 10  # the fragments of an audio file that we wrote begin before this byte
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_DURATION, _SIZE, _FLAGS, _TIME_OFFSET = 0x100, 0x200, 0x400, 0x800
_NOT_SYNC = 0x10000

_Defaults = tuple[int, int, int]  # duration, size and flags


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
    """Return what a fragmented MP4 file with one track holds, or raise `ValueError`."""
    header, codecs, timescale, defaults = 0, "", 0, (0, 0, 0)
    fragments: list[Fragment] = []
    moof, moof_at = b"", 0
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        for kind, at, begin, end in _boxes(content):
            if kind == b"moov":
                moov, header = content[begin:end], end
                mdhd = _find(moov, b"trak", b"mdia", b"mdhd")
                (timescale,) = struct.unpack_from(">I", mdhd, 20 if mdhd[0] else 12)
                defaults = struct.unpack_from(">3I", _find(moov, b"mvex", b"trex"), 12)
                codecs = _name_codecs(moov)
            elif kind == b"moof":
                moof, moof_at = content[begin:end], at
            elif kind == b"mdat" and moof:
                fragments.append(_fragment(moof, moof_at, end, timescale, defaults))
                moof = b""
    if not fragments or not timescale:
        raise ValueError(f"{path.name} has no fragments")
    return FragmentedTrack(header, codecs, tuple(fragments))


def read_channels(start: bytes) -> int:
    """Return how many audio channels a file has.

    :param start: of the file: :data:`HEADER_LIMIT` bytes, or all if it is shorter.
    :raises ValueError: it is no audio file of ours.
    """
    moov = _find(start, b"moov")
    # Bits 9 to 12, after a type of 5 and a rate of 4. What the sample entry says is 2.
    return int.from_bytes(_audio_config(_sample_entry(moov))[:2], "big") >> 3 & 15


def _fragment(moof: bytes, at: int, end: int, timescale: int, defaults: _Defaults) -> Fragment:
    traf = _find(moof, b"traf")
    duration, size, flags = _defaults_of(_find(traf, b"tfhd"), defaults)
    tfdt = _find(traf, b"tfdt")
    (begin,) = struct.unpack_from(">Q" if tfdt[0] else ">I", tfdt, 4)
    trun = _find(traf, b"trun")  # one, since the samples of a file with one track are contiguous
    present, samples = struct.unpack_from(">II", trun)
    if not samples:
        raise ValueError("a fragment has no samples")
    words = [word for (word,) in struct.iter_unpack(">I", trun[8:])]
    offset = words.pop(0) if present & _DATA_OFFSET else 0
    first_flags = [words.pop(0)] if present & _FIRST_FLAGS else []
    fields = [field for field in (_DURATION, _SIZE, _FLAGS, _TIME_OFFSET) if present & field]
    columns = {field: words[number :: len(fields)] for number, field in enumerate(fields)}
    first_flags += columns.get(_FLAGS, [flags])
    return Fragment(
        at=at,
        size=end - at,
        first=offset + columns.get(_SIZE, [size])[0],
        begin=begin / timescale,
        duration=sum(columns.get(_DURATION, [duration] * samples)) / timescale,
        samples=samples,
        keyframe=not first_flags[0] & _NOT_SYNC,
    )


def _defaults_of(tfhd: bytes, defaults: _Defaults) -> _Defaults:
    flags = int.from_bytes(tfhd[1:4], "big")
    at = 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
    fields = [flag for flag in (0x8, 0x10, 0x20) if flags & flag]
    own = dict(zip(fields, struct.unpack_from(f">{len(fields)}I", tfhd, at), strict=True))
    duration, size, sample_flags = defaults
    return own.get(0x8, duration), own.get(0x10, size), own.get(0x20, sample_flags)


def _boxes(content: bytes | mmap) -> Iterator[tuple[bytes, int, int, int]]:
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


def _find(content: bytes | mmap, *path: bytes) -> bytes:
    """Return the content of the first box on a path of kinds, or raise `ValueError`."""
    for wanted in path:
        places = (content[begin:end] for kind, _, begin, end in _boxes(content) if kind == wanted)
        inner = next(places, None)
        if inner is None:
            raise ValueError(f"there is no {wanted!r}")
        content = inner
    return bytes(content)


def _sample_entry(moov: bytes) -> bytes:
    """Return the first entry of the sample description of a movie with one track."""
    return _find(moov, b"trak", b"mdia", b"minf", b"stbl", b"stsd")[8:]


def _name_codecs(moov: bytes) -> str:
    """Return the codec of a movie with one track, as RFC 6381 names it.

    Only what we write: H.264 (ISO/IEC 14496-15, 5.3.3.1.2) and AAC (RFC 6381, 3.3).
    """
    entry = _sample_entry(moov)
    kind = entry[4:8]
    if kind in (b"avc1", b"avc3"):
        config = _find(entry[8 + 78 :], b"avcC")
        return f"{kind.decode()}.{config[1:4].hex()}"
    if kind == b"mp4a":
        config = _audio_config(entry)  # ISO/IEC 14496-3, 1.6.2.1: it begins with the object type
        object_type = config[0] >> 3
        if object_type == 31:
            object_type = 32 + (int.from_bytes(config[:2], "big") >> 5 & 63)
        return f"mp4a.40.{object_type}"
    raise ValueError(f"not a codec that we write: {kind!r}")


def _audio_config(entry: bytes) -> bytes:
    """Return the decoder's configuration: ISO/IEC 14496-1, 7.2.6, the descriptor of tag 5.

    ffmpeg writes each descriptor's size in four bytes.
    """
    esds = _find(entry[8 + 28 :], b"esds")
    _, found, rest = esds.partition(b"\x05\x80\x80\x80")
    if not found:
        raise ValueError("the audio has no decoder configuration")
    return rest[1:]
