"""Movie fragments (ISO/IEC 14496-12, 8.8): samples described next to their data."""

from common.translation import gettext
from upload_service.inspect.errors import damaged, truncated
from upload_service.inspect.mp4.boxes import Box, BoxReader, unpack
from upload_service.inspect.mp4.tables import numbers, read_entries
from upload_service.inspect.mp4.tracks import Movie, Mp4Track

_BASE_OFFSET, _DESCRIPTION, _DURATION, _SIZE = 0x1, 0x2, 0x8, 0x10
_TRACK_FIELDS = {_BASE_OFFSET: "Q", _DESCRIPTION: "I", _DURATION: "I", _SIZE: "I"}
_BASE_IS_MOOF = 0x20000
_RUN_OFFSET, _RUN_FIRST_FLAGS = 0x1, 0x4
_RUN_DURATION, _RUN_SIZE, _RUN_SAMPLE_FLAGS, _RUN_COMPOSITION = 0x100, 0x200, 0x400, 0x800


def add_fragment(reader: BoxReader, moof: Box, movie: Movie) -> None:
    """Add the samples of a fragment to their tracks."""
    reader.cache(moof.start, moof.end)
    base = moof.start
    for box in reader.children(moof.body, moof.end):
        if box.kind == b"traf":
            base = _add_track_fragment(reader, box, movie, moof_start=moof.start, base=base)


def check_index(reader: BoxReader, sidx: Box) -> None:
    """Check that the segments that a segment index (8.16.3) lists are in the file."""
    head = reader.body(sidx, max_bytes=32)
    version, _, _ = unpack(">B3xII", head)
    (first,) = unpack(">Q", head, 20) if version else unpack(">I", head, 16)
    offset = 28 if version else 20
    (count,) = unpack(">2xH", head, offset)
    end = sidx.end + first
    for data in read_entries(reader, sidx, skip=offset + 4, count=count, entry=12):
        end += sum(word & 0x7FFFFFFF for word in numbers("I", data)[::3])
    if end > reader.size:
        raise truncated()


def _add_track_fragment(
    reader: BoxReader, traf: Box, movie: Movie, *, moof_start: int, base: int
) -> int:
    """Add one track's part (8.8.6 to 8.8.8); return where its data ends."""
    boxes = reader.children(traf.body, traf.end)
    header = next((box for box in boxes if box.kind == b"tfhd"), None)
    if header is None:
        raise damaged(gettext("a fragment does not say which track it is of"))
    data = reader.body(header, max_bytes=64)
    flags, track_id = unpack(">II", data)
    track = movie.by_id.get(track_id)
    if track is None:
        raise damaged(gettext("a fragment is of a track that is not there"))
    present = [flag for flag in _TRACK_FIELDS if flags & flag]
    layout = "".join(_TRACK_FIELDS[flag] for flag in present)
    fields = dict(zip(present, unpack(f">{layout}", data, 8), strict=True))
    duration, size = movie.defaults.get(track_id, (0, 0))
    defaults = fields.get(_DURATION, duration), fields.get(_SIZE, size)
    base = fields.get(_BASE_OFFSET, moof_start if flags & _BASE_IS_MOOF else base)
    end = base
    for box in boxes:
        if box.kind == b"trun":
            end = _add_run(reader, box, track, (base, end), defaults)
    return end


def _add_run(
    reader: BoxReader,
    trun: Box,
    track: Mp4Track,
    positions: tuple[int, int],
    defaults: tuple[int, int],
) -> int:
    """Add one run of samples (8.8.8); return where its data ends.

    :param positions: the base that offsets count from, and where the run before it ended.
    :param defaults: duration and size of samples that give none.
    """
    head = reader.body(trun, max_bytes=16)
    flags, count = unpack(">II", head)
    base, start = positions
    offset = 8
    if flags & _RUN_OFFSET:
        start = base + unpack(">i", head, offset)[0]
        offset += 4
    offset += 4 if flags & _RUN_FIRST_FLAGS else 0
    fields = (_RUN_DURATION, _RUN_SIZE, _RUN_SAMPLE_FLAGS, _RUN_COMPOSITION)
    width = sum(1 for flag in fields if flags & flag)
    duration, size = defaults
    ticks = 0 if flags & _RUN_DURATION else count * duration
    length = 0 if flags & _RUN_SIZE else count * size
    if width:
        for data in read_entries(reader, trun, skip=offset, count=count, entry=width * 4):
            words = numbers("I", data)
            if flags & _RUN_DURATION:
                ticks += sum(words[::width])
            if flags & _RUN_SIZE:
                length += sum(words[1 if flags & _RUN_DURATION else 0 :: width])
    track.samples += count
    track.ticks += ticks
    if start < 0 or start + length > reader.size:
        raise truncated()
    return start + length
