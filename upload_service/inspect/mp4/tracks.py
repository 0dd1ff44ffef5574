"""The movie box and its tracks (ISO/IEC 14496-12, 8.2 to 8.7)."""

import struct
from dataclasses import dataclass, field
from itertools import islice

from upload_service.inspect.errors import NotAVideo, damaged, limit_exceeded
from upload_service.inspect.mp4.boxes import Box, BoxReader
from upload_service.inspect.mp4.tables import read_samples, read_table
from upload_service.inspect.reader import unpack

VIDEO, AUDIO = b"vide", b"soun"

MAX_TRACKS = 100
MAX_EDITS = 100_000
_MAX_CHILDREN = 1000
_MAX_ENTRIES = 16
_MAX_CONFIG = 64 << 10

_CONFIGS = frozenset({b"avcC", b"hvcC", b"av1C", b"vpcC", b"esds", b"pasp"})
_VISUAL_FIELDS = 78
_AUDIO_FIELDS = 28
_QUICKTIME_AUDIO = {1: 16, 2: 36}


@dataclass(frozen=True)
class SampleEntry:
    """How the samples of a track are coded (8.5.2): four letters, frame size, configurations."""

    kind: bytes
    width: int
    height: int
    boxes: dict[bytes, bytes]


@dataclass
class Mp4Track:
    """One track. Its `samples` and `ticks` grow when fragments are read after the movie box.

    :ivar edits: pairs of a duration in the movie's timescale and a time in the track's, -1 for a
        stretch of nothing (8.6.6).
    :ivar display_size: width and height in the track header, 16.16 fixed point (8.3.2).
    :ivar rotated: whether it is displayed rotated by a quarter turn.
    """

    id: int
    enabled: bool
    display_size: tuple[int, int]
    rotated: bool
    handler: bytes = b""
    timescale: int = 0
    entries: list[SampleEntry] = field(default_factory=list)
    edits: list[tuple[int, int]] = field(default_factory=list)
    samples: int = 0
    ticks: int = 0


@dataclass
class Movie:
    """What the movie box says.

    :ivar by_id: the tracks by their ids.
    :ivar defaults: by track id, the duration and size of fragment samples that give none (8.8.3).
    """

    timescale: int
    tracks: list[Mp4Track]
    by_id: dict[int, Mp4Track]
    defaults: dict[int, tuple[int, int]]


def read_movie(reader: BoxReader, moov: Box) -> Movie:
    """Read the movie box.

    :raises NotAVideo: it is damaged, compressed, or points past the end of the file.
    """
    boxes = list(islice(reader.children(moov.body, moov.end), _MAX_CHILDREN))
    by_kind = {box.kind: box for box in reversed(boxes)}
    if b"cmov" in by_kind:
        raise limit_exceeded("has a compressed index, as very old QuickTime wrote it")
    if b"mvhd" not in by_kind:
        raise damaged("its header is missing")
    header = reader.body(by_kind[b"mvhd"], max_bytes=120)
    long = _version(header) == 1
    (timescale,) = unpack(">I", header, 20 if long else 12)
    rotated = _is_rotated(header, 48 if long else 36)
    traks = [box for box in boxes if box.kind == b"trak"]
    if len(traks) > MAX_TRACKS:
        raise limit_exceeded(f"has more than {MAX_TRACKS} tracks")
    tracks = [_read_track(reader, trak, movie_rotated=rotated) for trak in traks]
    return Movie(
        timescale=timescale,
        tracks=tracks,
        by_id={track.id: track for track in tracks},
        defaults=_read_defaults(reader, by_kind[b"mvex"]) if b"mvex" in by_kind else {},
    )


def _read_track(reader: BoxReader, trak: Box, *, movie_rotated: bool) -> Mp4Track:
    boxes = _by_kind(reader, trak)
    header = reader.body(_require(boxes, b"tkhd"), max_bytes=120)
    offset = 20 if _version(header) == 1 else 12
    (track_id,) = unpack(">I", header, offset)
    offset = 52 if _version(header) == 1 else 40
    track = Mp4Track(
        id=track_id,
        enabled=bool(header[3] & 1),
        display_size=(unpack(">I", header, offset + 36)[0], unpack(">I", header, offset + 40)[0]),
        rotated=_is_rotated(header, offset) != movie_rotated,
    )
    _read_media(reader, _require(boxes, b"mdia"), track)
    if b"edts" in boxes:
        edits = _by_kind(reader, boxes[b"edts"]).get(b"elst")
        track.edits = _read_edits(reader, edits) if edits else []
    return track


def _read_media(reader: BoxReader, mdia: Box, track: Mp4Track) -> None:
    boxes = _by_kind(reader, mdia)
    header = reader.body(_require(boxes, b"mdhd"), max_bytes=40)
    (track.timescale,) = unpack(">I", header, 20 if _version(header) == 1 else 12)
    track.handler = reader.body(_require(boxes, b"hdlr"), max_bytes=12)[8:12]
    if track.handler not in (VIDEO, AUDIO) and b"minf" not in boxes:
        return
    information = _by_kind(reader, _require(boxes, b"minf"))
    if b"stbl" not in information and track.handler not in (VIDEO, AUDIO):
        return
    tables = _by_kind(reader, _require(information, b"stbl"))
    if track.handler in (VIDEO, AUDIO):
        track.entries = _read_entries(reader, _require(tables, b"stsd"), track.handler)
        _reject_external_data(reader, information)
    track.samples, track.ticks = read_samples(reader, tables)
    if not track.timescale:
        raise damaged("a track has no clock")


def _reject_external_data(reader: BoxReader, information: dict[bytes, Box]) -> None:
    """Reject a track whose samples are in another file (8.7.2): that file is not here."""
    dref = _by_kind(reader, information[b"dinf"]).get(b"dref") if b"dinf" in information else None
    if dref is None:
        return
    for location in islice(reader.children(dref.body + 8, dref.end), _MAX_ENTRIES):
        (flags,) = unpack(">I", reader.body(location, max_bytes=4))
        if not flags & 1:
            raise NotAVideo(
                "This file only points to another file that holds the video. "
                "Save it as one self-contained MP4 and upload that."
            )


def _read_entries(reader: BoxReader, stsd: Box, handler: bytes) -> list[SampleEntry]:
    version, count = unpack(">II", reader.body(stsd, max_bytes=8))
    if count > _MAX_ENTRIES:
        raise limit_exceeded("changes its codec too often")
    boxes = islice(reader.children(stsd.body + 8, stsd.end), count)
    read = _read_visual if handler == VIDEO else _read_audio
    return [read(reader, box, version >> 24) for box in boxes]


def _read_visual(reader: BoxReader, box: Box, _version_of_table: int) -> SampleEntry:
    """12.1.3."""
    width, height = unpack(">24xHH", reader.body(box, max_bytes=_VISUAL_FIELDS))
    return SampleEntry(box.kind, width, height, _read_config_boxes(reader, box, _VISUAL_FIELDS))


def _read_audio(reader: BoxReader, box: Box, version_of_table: int) -> SampleEntry:
    """12.2.3; QuickTime's own versions 1 and 2 have more fields, and keep the boxes in `wave`."""
    (version,) = unpack(">8xH", reader.body(box, max_bytes=_AUDIO_FIELDS))
    skip = _AUDIO_FIELDS
    if version_of_table == 0:
        skip += _QUICKTIME_AUDIO.get(version, 0)
    return SampleEntry(box.kind, 0, 0, _read_config_boxes(reader, box, skip))


def _read_config_boxes(reader: BoxReader, entry: Box, skip: int) -> dict[bytes, bytes]:
    configs: dict[bytes, bytes] = {}
    for box in islice(reader.children(entry.body + skip, entry.end), _MAX_CHILDREN):
        if box.kind == b"wave":
            for inner in islice(reader.children(box.body, box.end), _MAX_CHILDREN):
                if inner.kind in _CONFIGS:
                    configs.setdefault(inner.kind, reader.body(inner, max_bytes=_MAX_CONFIG))
        elif box.kind in _CONFIGS:
            configs.setdefault(box.kind, reader.body(box, max_bytes=_MAX_CONFIG))
    return configs


def _read_edits(reader: BoxReader, elst: Box) -> list[tuple[int, int]]:
    """8.6.6."""
    long = _version(reader.body(elst, max_bytes=4)) == 1
    edits: list[tuple[int, int]] = []
    layout = ">Qq4x" if long else ">Ii4x"
    for data in read_table(reader, elst, skip=4, entry=struct.calcsize(layout)):
        edits += struct.iter_unpack(layout, data)
        if len(edits) > MAX_EDITS:
            raise limit_exceeded("is cut into too many pieces")
    return edits


def _read_defaults(reader: BoxReader, mvex: Box) -> dict[int, tuple[int, int]]:
    """8.8.3."""
    defaults: dict[int, tuple[int, int]] = {}
    for box in islice(reader.children(mvex.body, mvex.end), MAX_TRACKS):
        if box.kind == b"trex":
            track_id, duration, size = unpack(">4xI4xII", reader.body(box, max_bytes=24))
            defaults[track_id] = (duration, size)
    return defaults


def _by_kind(reader: BoxReader, parent: Box) -> dict[bytes, Box]:
    """Return the children of a box by their four letters; of several, the first."""
    boxes: dict[bytes, Box] = {}
    for box in islice(reader.children(parent.body, parent.end), _MAX_CHILDREN):
        boxes.setdefault(box.kind, box)
    return boxes


def _require(boxes: dict[bytes, Box], kind: bytes) -> Box:
    if kind not in boxes:
        raise damaged("a part of its index is missing")
    return boxes[kind]


def _version(header: bytes) -> int:
    return unpack(">B", header)[0]


def _is_rotated(header: bytes, offset: int) -> bool:
    """Tell whether a matrix (6.2.2) rotates by a quarter turn, to either side."""
    a, b, _, c, d = unpack(">5i", header, offset)
    return abs(b) + abs(c) > abs(a) + abs(d)
