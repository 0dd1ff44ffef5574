"""The movie box and its tracks (ISO/IEC 14496-12, 8.2 to 8.7)."""

import struct
from dataclasses import dataclass, field
from itertools import islice

from common.translation import gettext
from upload_service.inspect.errors import NotAVideo, damaged, limit_exceeded
from upload_service.inspect.mp4.boxes import Box, BoxReader, unpack
from upload_service.inspect.mp4.tables import read_samples, read_table

VIDEO, AUDIO = b"vide", b"soun"

MAX_TRACKS = 100
MAX_EDITS = 100_000
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
    handler: bytes
    timescale: int
    entries: list[SampleEntry] = field(default_factory=list)
    edits: list[tuple[int, int]] = field(default_factory=list)
    samples: int = 0
    ticks: int = 0


@dataclass
class Movie:
    """What the movie box says.

    :ivar defaults: by track id, the duration and size of fragment samples that give none (8.8.3).
    """

    timescale: int
    tracks: list[Mp4Track]
    by_id: dict[int, Mp4Track]
    defaults: dict[int, tuple[int, int]]


def read_movie(reader: BoxReader, moov: Box) -> Movie:
    """Read the movie box."""
    boxes = reader.first_children(moov)
    by_kind = {box.kind: box for box in reversed(boxes)}
    if b"cmov" in by_kind:
        raise limit_exceeded(gettext("it has a compressed index, as very old QuickTime wrote it"))
    if b"mvhd" not in by_kind:
        raise damaged(gettext("its header is missing"))
    header = reader.body(by_kind[b"mvhd"], max_bytes=120)
    rotated = _is_rotated(header, 48 if _is_long(header) else 36)
    traks = [box for box in boxes if box.kind == b"trak"]
    if len(traks) > MAX_TRACKS:
        raise limit_exceeded(
            gettext("it has more than %(max_tracks)s tracks", max_tracks=MAX_TRACKS)
        )
    tracks = [_read_track(reader, trak, movie_rotated=rotated) for trak in traks]
    return Movie(
        timescale=_timescale(header),
        tracks=tracks,
        by_id={track.id: track for track in tracks},
        defaults=_read_defaults(reader, by_kind[b"mvex"]) if b"mvex" in by_kind else {},
    )


def _read_track(reader: BoxReader, trak: Box, *, movie_rotated: bool) -> Mp4Track:
    boxes = reader.by_kind(trak)
    header = reader.body(_require(boxes, b"tkhd"), max_bytes=120)
    (track_id,) = unpack(">I", header, 20 if _is_long(header) else 12)
    matrix = 52 if _is_long(header) else 40
    width, height = unpack(">II", header, matrix + 36)
    media = reader.by_kind(_require(boxes, b"mdia"))
    track = Mp4Track(
        id=track_id,
        enabled=bool(header[3] & 1),
        display_size=(width, height),
        rotated=_is_rotated(header, matrix) != movie_rotated,
        handler=reader.body(_require(media, b"hdlr"), max_bytes=12)[8:12],
        timescale=_timescale(reader.body(_require(media, b"mdhd"), max_bytes=40)),
    )
    if track.handler in (VIDEO, AUDIO):
        _read_media(reader, _require(media, b"minf"), track)
    if b"edts" in boxes:
        edits = reader.by_kind(boxes[b"edts"]).get(b"elst")
        track.edits = _read_edits(reader, edits) if edits else []
    return track


def _read_media(reader: BoxReader, minf: Box, track: Mp4Track) -> None:
    boxes = reader.by_kind(minf)
    tables = reader.by_kind(_require(boxes, b"stbl"))
    track.entries = _read_entries(reader, _require(tables, b"stsd"), track.handler)
    if b"dinf" in boxes:
        _reject_external_data(reader, boxes[b"dinf"])
    track.samples, track.ticks = read_samples(reader, tables)
    if not track.timescale:
        raise damaged(gettext("a track has no clock"))


def _reject_external_data(reader: BoxReader, dinf: Box) -> None:
    """Reject a track whose samples are in another file (8.7.2): that file is not here."""
    dref = reader.by_kind(dinf).get(b"dref")
    for location in reader.first_children(dref, skip=8) if dref else []:
        (flags,) = unpack(">I", reader.body(location, max_bytes=4))
        if not flags & 1:
            raise NotAVideo(
                gettext(
                    "This file only points to another file that holds the video. Save it as one "
                    "self-contained MP4 and upload that."
                )
            )


def _read_entries(reader: BoxReader, stsd: Box, handler: bytes) -> list[SampleEntry]:
    version, count = unpack(">II", reader.body(stsd, max_bytes=8))
    if count > _MAX_ENTRIES:
        raise limit_exceeded(gettext("it changes its codec too often"))
    boxes = islice(reader.children(stsd.body + 8, stsd.end), count)
    return [_read_entry(reader, box, handler, version >> 24) for box in boxes]


def _read_entry(reader: BoxReader, entry: Box, handler: bytes, table_version: int) -> SampleEntry:
    """12.1.3, 12.2.3; QuickTime's audio versions 1 and 2 have more fields, and boxes in `wave`."""
    width = height = 0
    if handler == VIDEO:
        skip = _VISUAL_FIELDS
        width, height = unpack(">24xHH", reader.body(entry, max_bytes=skip))
    else:
        skip = _AUDIO_FIELDS
        (version,) = unpack(">8xH", reader.body(entry, max_bytes=skip))
        skip += _QUICKTIME_AUDIO.get(version, 0) if table_version == 0 else 0
    boxes = reader.first_children(entry, skip=skip)
    for wave in [box for box in boxes if box.kind == b"wave"]:
        boxes += reader.first_children(wave)
    configs = {box.kind: box for box in reversed(boxes) if box.kind in _CONFIGS}
    contents = {kind: reader.body(box, max_bytes=_MAX_CONFIG) for kind, box in configs.items()}
    return SampleEntry(entry.kind, width, height, contents)


def _read_edits(reader: BoxReader, elst: Box) -> list[tuple[int, int]]:
    """8.6.6."""
    layout = ">Qq4x" if _is_long(reader.body(elst, max_bytes=4)) else ">Ii4x"
    edits: list[tuple[int, int]] = []
    for data in read_table(reader, elst, skip=4, entry=struct.calcsize(layout)):
        edits += struct.iter_unpack(layout, data)
        if len(edits) > MAX_EDITS:
            raise limit_exceeded(gettext("it is cut into too many pieces"))
    return edits


def _read_defaults(reader: BoxReader, mvex: Box) -> dict[int, tuple[int, int]]:
    """8.8.3."""
    defaults: dict[int, tuple[int, int]] = {}
    for box in islice(reader.children(mvex.body, mvex.end), MAX_TRACKS):
        if box.kind == b"trex":
            track_id, duration, size = unpack(">4xI4xII", reader.body(box, max_bytes=24))
            defaults[track_id] = (duration, size)
    return defaults


def _require(boxes: dict[bytes, Box], kind: bytes) -> Box:
    if kind not in boxes:
        raise damaged(gettext("a part of its index is missing"))
    return boxes[kind]


def _is_long(header: bytes) -> bool:
    """Tell whether a header is of version 1, in which times have 64 bits."""
    return unpack(">B", header) == (1,)


def _timescale(header: bytes) -> int:
    """Return the ticks a second in a header of a movie or of a track's media (8.2.2, 8.4.2)."""
    return unpack(">I", header, 20 if _is_long(header) else 12)[0]


def _is_rotated(header: bytes, offset: int) -> bool:
    """Tell whether a matrix (6.2.2) rotates by a quarter turn, to either side."""
    a, b, _, c, d = unpack(">5i", header, offset)
    return abs(b) + abs(c) > abs(a) + abs(d)
