"""Inspection of an MP4 ends soon and needs little memory, whatever it is given."""

import io
import random
import struct
import time
import tracemalloc
from array import array
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import media
from tests.media import TrackSpec, audio_track, box, full_box, mp4, words
from upload_service.inspect import NotAVideo, VideoInfo, inspect_file

SECONDS = 3
"""Of processor time, and many times what was measured (under 0.8): machines differ."""

MEGABYTES = 32


class Sparse(io.BytesIO):
    """A file whose end is a hole."""

    def __init__(self, start: bytes, size: int) -> None:
        super().__init__(start)
        self.end = size

    def read(self, size: int | None = -1) -> bytes:
        wanted = min(size or 0, self.end - self.tell())
        return super().read(wanted).ljust(wanted, b"\0")


def outcome(data: bytes, *, size: int | None = None) -> VideoInfo | str:
    """Inspect a file; fail if that takes too long."""
    whole = len(data) if size is None else size
    start = time.process_time()
    try:
        return inspect_file(Sparse(data, whole), size=whole)
    except NotAVideo as error:
        return error.sentence
    finally:
        assert time.process_time() - start < SECONDS


def big_endian(code: str, values: Iterable[int]) -> bytes:
    packed = array(code, values)
    packed.byteswap()
    return packed.tobytes()


def long_video(*, hours: int, rate: int) -> tuple[bytes, int]:
    """Return the beginning and the size of a video with every table of its index at its longest."""
    frames, sounds = hours * 3600 * rate, hours * 3600 * 48_000 // 1024
    picture = TrackSpec(
        timescale=rate * 512,
        fragmented=True,
        tables={
            b"stts": full_box(b"stts", 0, 0, words(frames), words(1, 511, 1, 513) * (frames // 2)),
            b"stsz": full_box(b"stsz", 0, 0, words(0, frames), words(7000, 3000) * (frames // 2)),
            b"stsc": full_box(b"stsc", 0, 0, words(1, 1, 1, 1)),
            b"stco": full_box(
                b"co64", 0, 0, words(frames), big_endian("Q", range(2**33, 2**33 + frames))
            ),
        },
    )
    chunks = sounds * 2 // 3
    runs = (value for i in range(chunks) for value in (i + 1, 1 + i % 2, 1))
    heard = audio_track(
        fragmented=True,
        tables={
            b"stts": full_box(b"stts", 0, 0, words(1, sounds, 1024)),
            b"stsz": full_box(b"stsz", 0, 0, words(0, sounds), words(300) * sounds),
            b"stsc": full_box(b"stsc", 0, 0, words(chunks), big_endian("I", runs)),
            b"stco": full_box(b"stco", 0, 0, words(chunks), words(99) * chunks),
        },
    )
    start, size = mp4(picture, heard)[:-8], 3 << 32
    return start + struct.pack(">I4sQ", 1, b"mdat", size - len(start)), size


def test_a_video_of_three_hours_takes_little_time_and_memory() -> None:
    start, size = long_video(hours=3, rate=24)
    read = outcome(start, size=size)
    assert isinstance(read, VideoInfo)
    assert read.duration_ms == 3 * 3_600_000
    tracemalloc.start()
    inspect_file(Sparse(start, size), size=size)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MEGABYTES << 20


def test_three_hours_in_fragments_of_half_a_second_are_accepted() -> None:
    picture = TrackSpec(durations=((12, 534),), sample_size=4)
    data = media.fragmented_mp4(
        picture, audio_track(durations=((23, 1024),), sample_size=4), fragments=21_600
    )
    read = outcome(data)
    assert isinstance(read, VideoInfo)
    assert read.duration_ms == pytest.approx(21_600 * 500, rel=0.02)


FLOODS = {
    "boxes before the movie": lambda: box(b"free") * 400_000 + mp4(),
    "boxes after the movie": lambda: mp4(after=box(b"free") * 400_000),
    "tracks": lambda: mp4(movie_parts=box(b"trak") * 400_000),
    "fragments": lambda: media.fragmented_mp4(replace(TrackSpec(), durations=((1, 512),))) * 12_000,
    "tracks in fragments": lambda: media.fragmented_mp4(
        *(TrackSpec(id=i + 1, durations=((1, 1),), sample_size=0) for i in range(99)), fragments=900
    ),
    "edits": lambda: mp4(TrackSpec(edits=((1, 1),) * 100_001)),
    "an index": lambda: mp4(
        TrackSpec(tables={b"stts": full_box(b"stts", 0, 0, words(7 << 20), bytes(56 << 20))})
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_rejected(name: str) -> None:
    assert isinstance(outcome(FLOODS[name]()), str)


@pytest.mark.parametrize("kind", [b"moov", b"trak", b"mdia", b"stbl", b"wave", b"free"])
def test_10_000_nested_boxes_are_rejected_or_skipped(kind: bytes) -> None:
    deep = media.nested(kind, 10_000)
    assert isinstance(outcome(box(b"ftyp", media.FTYP_BRANDS) + deep), str)
    outcome(mp4(movie_parts=deep))
    outcome(mp4(between=deep))


def test_announced_counts_cost_no_memory() -> None:
    data = media.fragmented_mp4(own_durations=False, announced=2**31 - 1)
    tracemalloc.start()
    assert isinstance(outcome(data), str)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


SMALL = [
    mp4(TrackSpec(edits=[(2000, 512)]), audio_track()),
    mp4(TrackSpec(wide=True), index_first=False, mdat="large"),
    media.fragmented_mp4(TrackSpec(durations=((3, 512),)), audio_track(durations=((4, 1024),))),
    media.fragmented_mp4(TrackSpec(durations=((3, 512),)), own_durations=False, data_at_moof=False),
]
INTERESTING = [0, 1, 7, 8, 0x7F, 0xFF, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    base=st.sampled_from(SMALL),
    edits=st.lists(
        st.tuples(
            st.integers(0, 5000),
            st.one_of(
                st.binary(min_size=1, max_size=8),
                st.sampled_from(INTERESTING).map(lambda value: struct.pack(">I", value)),
            ),
            st.sampled_from(["replace", "insert", "delete"]),
        ),
        max_size=4,
    ),
    end=st.one_of(st.none(), st.integers(0, 5000)),
    missing=st.sampled_from([0, 0, 0, 1, 2**40]),
)
def test_a_bent_file_gives_facts_or_a_rejection(
    base: bytes, edits: list[tuple[int, bytes, str]], end: int | None, missing: int
) -> None:
    data = bytearray(base)
    for place, value, how in edits:
        at = place % len(data) if data else 0
        removed = 0 if how == "insert" else len(value)
        data[at : at + removed] = b"" if how == "delete" else value
    bent = bytes(data[:end])
    start = time.process_time()
    try:
        read = inspect_file(io.BytesIO(bent), size=len(bent) + missing)
    except NotAVideo:
        pass
    else:
        assert 0 < read.duration_ms <= 48 * 3_600_000
        assert 0 < read.width <= 16_384
        assert 0 < read.height <= 16_384
    assert time.process_time() - start < SECONDS


def test_any_field_of_the_index_can_hold_anything() -> None:
    """Put the edges of a 32-bit number all over the boxes."""
    chance = random.Random(14_496)
    for base in SMALL:
        for at in range(0, min(len(base) - 4, 1600), 3):
            bent = bytearray(base)
            struct.pack_into(">I", bent, at, chance.choice(INTERESTING))
            outcome(bytes(bent))


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\0\0\0\x18ftyp", b"\0\0\0\x08moov", b"<?xml"])
)
def test_any_bytes_are_rejected_in_a_sentence(data: bytes, start: bytes) -> None:
    assert isinstance(outcome(start + data), str)
