"""Which MP4 files are accepted, and the properties that are read from them."""

import io
from dataclasses import replace

import pytest

from tests import media
from tests.media import TrackSpec, audio_entry, audio_track, box, full_box, mp4, video_entry, words
from upload_service.inspect import VideoInfo, inspect_file


def info(data: bytes) -> VideoInfo:
    return inspect_file(io.BytesIO(data), size=len(data))


def test_the_index_may_come_first() -> None:
    assert info(mp4(TrackSpec(), audio_track())) == VideoInfo(
        duration_ms=2005,
        width=640,
        height=360,
        video_codec="avc1.64001f",
        audio_codec="mp4a.40.2",
        container="mp4",
        playable=True,
    )


def test_the_index_may_come_last() -> None:
    assert info(mp4(TrackSpec(), audio_track(), index_first=False)).duration_ms == 2005


def test_audio_may_be_missing() -> None:
    assert info(mp4()).audio_codec is None


@pytest.mark.parametrize("mdat", ["plain", "large", "open"])
def test_the_media_data_may_have_a_64_bit_size_or_run_to_the_end(mdat: str) -> None:
    assert info(mp4(mdat=mdat)).duration_ms == 2000


def test_times_and_offsets_may_have_64_bits() -> None:
    assert info(mp4(TrackSpec(wide=True, edits=[(1500, 0)]))).duration_ms == 1500


@pytest.mark.parametrize(
    "ftyp", [b"qt  \0\0\2\0qt  ", b"mp42\0\0\0\0", b"M4V \0\0\0\1", b"3gp4\0\0\0\0", None]
)
def test_brands_do_not_decide_and_may_be_missing(ftyp: bytes | None) -> None:
    assert info(mp4(ftyp=ftyp)).duration_ms == 2000


def test_unknown_and_empty_boxes_are_skipped() -> None:
    others = b"".join(box(kind, bytes(9)) for kind in (b"free", b"skip", b"wide", b"uuid", b"meta"))
    read = info(mp4(between=others + box(b"zzzz"), after=others, movie_parts=box(b"udta", others)))
    assert read.duration_ms == 2000


@pytest.mark.parametrize("tail", [bytes(3), bytes(5000), bytes.fromhex("8db42d694ccc418790edff43")])
def test_what_a_camera_appends_after_the_movie_is_ignored(tail: bytes) -> None:
    assert info(mp4(after=tail)).duration_ms == 2000


@pytest.mark.parametrize(
    ("matrix", "size"),
    [
        (media.UPRIGHT, (640, 360)),
        (media.QUARTER_TURN, (360, 640)),
        ((0, -1, 1, 0), (360, 640)),
        (media.HALF_TURN, (640, 360)),
    ],
)
def test_a_quarter_turn_swaps_the_sides(
    matrix: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    read = info(mp4(TrackSpec(matrix=matrix)))
    assert (read.width, read.height) == size


@pytest.mark.parametrize(
    ("pixel", "size"),
    [((4, 3), (960, 540)), ((3, 4), (720, 720)), ((0, 9), (720, 540)), ((9000, 1), (720, 540))],
)
def test_pixels_that_are_not_square_stretch_one_side(
    pixel: tuple[int, int], size: tuple[int, int]
) -> None:
    entry = video_entry(
        b"avc1", media.AVC_CONFIG, box(b"pasp", words(*pixel)), width=720, height=540
    )
    read = info(mp4(TrackSpec(entry=entry, display_size=(720, 540))))
    assert (read.width, read.height) == size


def test_the_track_header_can_tell_the_shape_of_pixels() -> None:
    entry = video_entry(width=720, height=576)
    read = info(mp4(TrackSpec(entry=entry, display_size=(1024, 576))))
    assert (read.width, read.height) == (1024, 576)


def test_a_smaller_track_header_of_the_same_shape_keeps_the_frame_size() -> None:
    entry = video_entry(width=1920, height=1080)
    read = info(mp4(TrackSpec(entry=entry, display_size=(640, 360))))
    assert (read.width, read.height) == (1920, 1080)


def test_a_variable_frame_rate_is_summed() -> None:
    durations = [(1, 1000), (3, 512), (10, 100), (1, 12_800)]
    assert info(mp4(TrackSpec(durations=durations))).duration_ms == round(16_336 / 12.8)


@pytest.mark.parametrize("per_chunk", [1, 3, 7, 50])
def test_samples_may_be_chunked_in_any_way(per_chunk: int) -> None:
    assert info(mp4(TrackSpec(per_chunk=per_chunk))).duration_ms == 2000


@pytest.mark.parametrize("bits", [8, 16])
def test_sizes_may_be_compact(bits: int) -> None:
    entries = (20).to_bytes(bits // 8, "big") * 50
    compact = full_box(b"stz2", 0, 0, words(bits, 50), entries)
    assert info(mp4(TrackSpec(tables={b"stsz": compact}))).duration_ms == 2000


def test_samples_may_share_one_size() -> None:
    shared = full_box(b"stsz", 0, 0, words(20, 50))
    assert info(mp4(TrackSpec(tables={b"stsz": shared}))).duration_ms == 2000


@pytest.mark.parametrize(
    ("edits", "duration"),
    [
        ([(2000, 1024)], 2000),
        ([(700, 3000)], 700),
        ([(500, -1), (2000, 0)], 2500),
        ([(0, 1024)], 2000),
        ([(1000, 0), (1000, 0), (1000, 0)], 3000),
    ],
)
def test_edits_trim_delay_and_repeat(edits: list[tuple[int, int]], duration: int) -> None:
    assert info(mp4(TrackSpec(edits=edits))).duration_ms == duration


def test_edits_are_believed_up_to_the_length_of_the_samples() -> None:
    edits = [(4_000_000_000, -1), (4_000_000_000, 0)]
    assert info(mp4(TrackSpec(edits=edits))).duration_ms == 4000


def test_duration_is_measured_and_not_read_from_the_header() -> None:
    assert info(mp4(TrackSpec(header_ms=2**32 - 1))).duration_ms == 2000
    assert info(mp4(TrackSpec(header_ms=0))).duration_ms == 2000


@pytest.mark.parametrize("own_durations", [True, False])
@pytest.mark.parametrize("data_at_moof", [True, False])
def test_fragments_are_summed(own_durations: bool, data_at_moof: bool) -> None:
    data = media.fragmented_mp4(own_durations=own_durations, data_at_moof=data_at_moof)
    read = info(data)
    assert read.duration_ms == 8000


def test_fragments_may_have_several_tracks() -> None:
    read = info(media.fragmented_mp4(TrackSpec(), audio_track(), fragments=3))
    assert (read.duration_ms, read.audio_codec) == (6016, "mp4a.40.2")


def test_the_longest_track_is_the_duration() -> None:
    assert info(mp4(TrackSpec(), audio_track(durations=((470, 1024),)))).duration_ms == 10_027


def test_a_track_that_is_switched_off_comes_second() -> None:
    small = TrackSpec(enabled=False, entry=video_entry(width=64, height=36), display_size=(64, 36))
    assert info(mp4(small, TrackSpec(id=2))).width == 640


def test_a_video_track_that_plays_is_preferred_to_one_that_does_not() -> None:
    cover = TrackSpec(entry=video_entry(b"jpeg"), durations=((1, 512),))
    assert info(mp4(cover, TrackSpec(id=2))).video_codec == "avc1.64001f"


def test_tracks_of_other_kinds_are_ignored() -> None:
    entry = box(b"tmcd", bytes(26))
    timecode = TrackSpec(handler=b"tmcd", entry=entry, durations=((1, 512),), id=3)
    assert info(mp4(TrackSpec(), timecode)).duration_ms == 2000


VIDEO_CODECS = [
    (b"avc3", media.AVC_CONFIG, "avc3.64001f"),
    (
        b"hvc1",
        box(b"hvcC", bytes.fromhex("0101600000009000000000005d"), bytes(10)),
        "hvc1.1.6.L93.90",
    ),
    (
        b"hev1",
        box(b"hvcC", bytes.fromhex("0122200000009000000000007b"), bytes(10)),
        "hev1.2.4.H123.90",
    ),
    (b"av01", box(b"av1C", bytes.fromhex("81040c00")), "av01.0.04M.08"),
    (b"av01", box(b"av1C", bytes.fromhex("810dcc00")), "av01.0.13H.10"),
    (b"av01", box(b"av1C", bytes.fromhex("81486c00")), "av01.2.08M.12"),
    (b"vp09", full_box(b"vpcC", 1, 0, bytes.fromhex("001f820202020000")), "vp09.00.31.08"),
]


@pytest.mark.parametrize(("kind", "config", "name"), VIDEO_CODECS)
def test_video_codecs_are_named_by_rfc_6381(kind: bytes, config: bytes, name: str) -> None:
    assert info(mp4(TrackSpec(entry=video_entry(kind, config)))).video_codec == name


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        (audio_entry(b"mp4a", media.esds(0x40, b"\x2b\x92")), "mp4a.40.5"),
        (audio_entry(b"mp4a", media.esds(0x40, b"\xf9\x40")), "mp4a.40.42"),
        (audio_entry(b"mp4a", media.esds(0x6B)), "mp4a.6B"),
        (audio_entry(b"mp4a", media.esds(0x67)), "mp4a.67"),
        (audio_entry(b"mp4a", box(b"free")), "mp4a"),
        (audio_entry(b"Opus", box(b"dOps", bytes(11))), "Opus"),
        (audio_entry(b"sowt", box(b"chan", bytes(12))), "sowt"),
    ],
)
def test_audio_codecs_are_named_by_rfc_6381(entry: bytes, name: str) -> None:
    assert info(mp4(TrackSpec(), audio_track(entry=entry))).audio_codec == name


@pytest.mark.parametrize("version", [1, 2])
def test_quicktime_audio_is_understood(version: int) -> None:
    fields = bytearray(28 + (16, 36)[version - 1])
    fields[7], fields[9] = 1, version
    wave = box(b"wave", box(b"frma", b"mp4a"), media.esds(0x40, b"\x11\x90"), bytes(8))
    entry = box(b"mp4a", bytes(fields), wave)
    assert info(mp4(TrackSpec(), audio_track(entry=entry))).audio_codec == "mp4a.40.2"


def test_the_media_data_is_never_read() -> None:
    class Recording(io.BytesIO):
        reads: list[tuple[int, int]]

        def read(self, size: int | None = -1) -> bytes:
            self.reads.append((self.tell(), size or 0))
            return super().read(size)

    track = replace(TrackSpec(), sample_size=100_000)
    for data in (mp4(track), mp4(track, index_first=False), media.fragmented_mp4(track)):
        file = Recording(data)
        file.reads = []
        inspect_file(file, size=len(data))
        assert sum(length for _, length in file.reads) < 20_000
