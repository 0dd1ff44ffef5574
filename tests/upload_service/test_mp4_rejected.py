"""Which MP4 files are rejected, and with which sentence."""

import io
import struct
from dataclasses import replace

import pytest

from tests import media
from tests.media import (
    TrackSpec,
    audio_entry,
    audio_track,
    box,
    full_box,
    mp4,
    table,
    video_entry,
    words,
)
from upload_service.inspect import NotAVideo, inspect_file


def rejection(data: bytes, *, size: int | None = None) -> str:
    size = len(data) if size is None else size
    with pytest.raises(NotAVideo) as caught:
        inspect_file(io.BytesIO(data), size=size, formats=frozenset({"mp4"}))
    assert caught.value.sentence.endswith(".")
    return caught.value.sentence


OTHER_KINDS = [
    (b"", "is empty"),
    (bytes(5000), "nothing but zeros"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture (PNG)"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture (JPEG)"),
    (b"GIF89a\1\0\1\0", "a picture (GIF)"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "a picture (WebP)"),
    (b"RIFF\0\0\0\0AVI LIST", "a video of another format (AVI). Convert it to MP4"),
    (b"RIFF\0\0\0\0WAVEfmt ", "an audio file (WAV)"),
    (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0(\0\0\0", "a picture (BMP)"),
    (b"%PDF-1.7\n%\xe2\xe3", "a document (PDF)"),
    (b"PK\x03\x04\x14\0", "an archive (ZIP)"),
    (b"\x1f\x8b\x08\0", "an archive (gzip)"),
    (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01", "a video of another format (Matroska, WebM)"),
    (b"OggS\0\2", "a file of another format (Ogg)"),
    (b"ID3\4\0\0", "an audio file (MP3)"),
    (b"\xff\xfb\x90\x64", "an audio file (MP3, AAC)"),
    (b"FLV\x01\5", "a video of another format (Flash)"),
    ((b"G" + bytes(187)) * 4, "a video of another format (MPEG transport stream)"),
    (b"\x7fELF\2\1", "a program (Linux)"),
    (b"<!DOCTYPE html><title>x</title>", "an HTML page"),
    (b"\xef\xbb\xbf \n<!-- x -->\n<html>", "an HTML page"),
    (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG picture"),
    (b"<svg onload='alert(1)'/>", "an SVG picture"),
    (b"<?xml version='1.0'?><a/>", "an XML document"),
    (b"ffconcat version 1.0\nfile neighbour.mp4\n", "a list of other files"),
    (b"ffconcat version 1.0\nfile /etc/passwd\n", "a list of other files"),
    (b"#EXTM3U\n#EXTINF:1,\n../other/original.mp4\n", "an HLS playlist"),
    (b"#EXTM3U\nhttp://192.0.2.1/x.ts\n", "an HLS playlist"),
    (b"hello", "it is text"),
    ("hëllo wörld".encode(), "it is text"),
    ("hello".encode("utf-16"), "it is text"),
    (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08", "not an MP4 file. Convert"),
]


@pytest.mark.parametrize(("data", "words_of_it"), OTHER_KINDS)
def test_a_file_of_another_kind_is_named(data: bytes, words_of_it: str) -> None:
    assert words_of_it in rejection(data)


@pytest.mark.parametrize(("brand", "name"), [(b"heic", "HEIC"), (b"avif", "AVIF")])
def test_a_still_picture_in_an_mp4_container_is_named(brand: bytes, name: str) -> None:
    data = box(b"ftyp", brand, bytes(4)) + box(b"meta", bytes(30)) + box(b"mdat", bytes(30))
    assert f"a picture ({name})" in rejection(data)


def test_ftyp_alone_is_rejected() -> None:
    assert "only the beginning" in rejection(box(b"ftyp", media.FTYP_BRANDS))


def test_a_piece_of_a_stream_without_its_beginning_is_rejected() -> None:
    whole = media.fragmented_mp4()
    piece = whole[whole.index(b"moof") - 4 :]
    assert "one piece of a longer stream" in rejection(box(b"styp", b"msdh\0\0\0\0") + piece)


@pytest.mark.parametrize(
    ("mdat", "index_first"),
    # A box that is open towards the end comes last, so the index cannot.
    [("plain", True), ("plain", False), ("large", True), ("large", False), ("open", True)],
)
def test_a_file_cut_anywhere_is_rejected(mdat: str, index_first: bool) -> None:
    whole = mp4(TrackSpec(), audio_track(), mdat=mdat, index_first=index_first)
    for end in range(1, len(whole), 7):
        rejection(whole[:end])
    rejection(whole[:-1])


@pytest.mark.parametrize("index_first", [True, False])
def test_a_file_cut_in_half_says_so(index_first: bool) -> None:
    whole = mp4(replace(TrackSpec(), sample_size=1000), index_first=index_first)
    assert "cut short" in rejection(whole[: len(whole) // 2])


def test_a_cut_behind_an_open_box_is_found_by_what_the_samples_need() -> None:
    assert "cut short" in rejection(mp4(mdat="open")[:-1])


def test_a_file_shorter_than_announced_is_cut_short() -> None:
    whole = mp4(index_first=False)
    assert "cut short" in rejection(whole[:-20], size=len(whole))


def test_fragments_cut_inside_are_rejected() -> None:
    whole = media.fragmented_mp4(TrackSpec(), audio_track(), fragments=2)
    boundaries = {whole.index(b"moof") - 4, whole.rindex(b"moof") - 4}
    for end in [
        *range(whole.index(b"moof") + 1, len(whole), 13),
        whole.rindex(b"moof"),
        len(whole) - 1,
    ]:
        if end not in boundaries:
            rejection(whole[:end])


def test_fragments_that_a_segment_index_tells_of_must_be_there() -> None:
    whole = media.fragmented_mp4(fragments=2)
    at = whole.index(b"moof") - 4
    sizes = words(len(whole) - at, 2000, 0)
    index = full_box(b"sidx", 0, 0, words(1, 1000, 0, 0, 1), sizes)
    inspect_file(io.BytesIO(whole[:at] + index + whole[at:]), size=len(whole) + len(index))
    assert "cut short" in rejection(whole[:at] + index + whole[at : whole.rindex(b"moof") - 4])


def test_audio_only_is_rejected() -> None:
    assert "audio but no video" in rejection(mp4(audio_track()))
    assert "audio but no video" in rejection(media.fragmented_mp4(audio_track()))


def test_no_track_at_all_is_rejected() -> None:
    text = TrackSpec(handler=b"text", entry=box(b"text", bytes(20)))
    assert "no video" in rejection(mp4(text))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (b"apch", "ProRes"),
        (b"mp4v", "MPEG-4 part 2"),
        (b"jpeg", "Motion JPEG"),
        (b"dvc ", "DV"),
        (b"vc-1", "VC-1"),
        (b"M8RG", "MagicYUV"),
        (b"zZ9 ", "an unknown kind (“zZ9”)"),
        (b"<b>\xff", "an unknown kind (“?b??”)"),
    ],
)
def test_a_video_codec_that_browsers_cannot_play_is_named(kind: bytes, name: str) -> None:
    sentence = rejection(mp4(TrackSpec(entry=video_entry(kind, box(b"free")))))
    assert sentence.startswith(f"The video of this file is {name}, which browsers cannot play.")


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        (audio_entry(b"samr", box(b"damr", bytes(9))), "AMR"),
        (audio_entry(b"dtsc", box(b"ddts", bytes(9))), "DTS"),
        (audio_entry(b"mp4a", media.esds(0xA9)), "DTS"),
        (audio_entry(b"mp4a", media.esds(0x20)), "mp4a.20"),
    ],
)
def test_an_audio_codec_that_browsers_cannot_play_is_named(entry: bytes, name: str) -> None:
    sentence = rejection(mp4(TrackSpec(), audio_track(entry=entry)))
    assert sentence.startswith(f"The audio of this file is {name}, which browsers cannot play.")


@pytest.mark.parametrize(
    "tracks",
    [
        (TrackSpec(entry=video_entry(b"encv", media.AVC_CONFIG)),),
        (TrackSpec(), audio_track(entry=audio_entry(b"enca", box(b"sinf", bytes(9))))),
    ],
)
def test_an_encrypted_file_is_rejected(tracks: tuple[TrackSpec, ...]) -> None:
    assert "copy protection" in rejection(mp4(*tracks))


@pytest.mark.parametrize("kind", [b"avc1", b"hvc1", b"av01", b"vp09"])
def test_a_codec_without_its_configuration_is_rejected(kind: bytes) -> None:
    sentence = rejection(mp4(TrackSpec(entry=video_entry(kind, box(b"free")))))
    assert "does not say how to decode it" in sentence


def test_a_file_that_points_to_another_file_is_rejected() -> None:
    here = full_box(b"url ", 0, 1)
    there = full_box(b"url ", 0, 0)
    assert "points to another file" in rejection(mp4().replace(here, there))


@pytest.mark.parametrize("kind", [b"ftyp", b"moov", b"trak", b"stbl", b"stts", b"mvhd", b"hdlr"])
@pytest.mark.parametrize("size", [0, 1, 2, 7, 2**31, 2**32 - 1])
def test_impossible_sizes_are_rejected(kind: bytes, size: int) -> None:
    data = bytearray(mp4())
    struct.pack_into(">I", data, data.index(kind) - 4, size)
    rejection(bytes(data))


@pytest.mark.parametrize("kind", [b"moov", b"mdat", b"free"])
@pytest.mark.parametrize("size", [0, 15, 2**62, 2**64 - 1])
def test_impossible_64_bit_sizes_are_rejected(kind: bytes, size: int) -> None:
    odd = struct.pack(">I4sQ", 1, kind, size)
    rejection(box(b"ftyp", media.FTYP_BRANDS) + odd + bytes(100))
    rejection(mp4(after=odd))
    rejection(mp4(movie_parts=odd))


def test_a_box_that_reaches_past_its_parent_is_rejected() -> None:
    assert "reaches past" in rejection(mp4(movie_parts=struct.pack(">I4s", 9, b"free")))


@pytest.mark.parametrize("kind", [b"stts", b"stsz", b"stsc", b"stco"])
@pytest.mark.parametrize("count", [2**31, 2**32 - 1])
def test_a_table_that_announces_more_than_it_holds_is_rejected(kind: bytes, count: int) -> None:
    huge = full_box(kind, 0, 0, words(*([0, count] if kind == b"stsz" else [count])))
    assert "announces more" in rejection(mp4(TrackSpec(tables={kind: huge})))


@pytest.mark.parametrize("kind", [b"stts", b"stsz", b"stsc", b"stco", b"stsd"])
def test_a_missing_table_is_rejected(kind: bytes) -> None:
    assert "damaged" in rejection(mp4(TrackSpec(tables={kind: b""})))


@pytest.mark.parametrize(
    "tables",
    [
        {b"stsz": full_box(b"stsz", 0, 0, words(1, 2**31))},
        {b"stts": table(b"stts", [(2**32 - 1, 512)])},
        {b"stsc": table(b"stsc", [(1, 2**32 - 1, 1)])},
        {b"stsc": table(b"stsc", [(1, 5, 1), (1, 5, 1)])},
        {b"stsc": table(b"stsc", [(2, 5, 1)])},
        {b"stsc": table(b"stsc", [(3, 5, 1), (2, 5, 1)])},
        {b"stsc": table(b"stsc", [(1, 5, 1), (2**32 - 1, 5, 1)])},
        {b"stsc": table(b"stsc", [])},
        {b"stco": table(b"stco", [])},
        {b"stz2": b"", b"stsz": full_box(b"stz2", 0, 0, words(4, 50), bytes(25))},
    ],
)
def test_tables_that_contradict_each_other_are_rejected(tables: dict[bytes, bytes]) -> None:
    assert "damaged" in rejection(mp4(TrackSpec(tables=tables)))


def test_an_index_that_lists_more_bytes_than_the_file_has_is_rejected() -> None:
    far = {b"stco": table(b"stco", [(0,)] * 1000), b"stsc": table(b"stsc", [(1, 5, 1)])}
    counts = {
        b"stsz": full_box(b"stsz", 0, 0, words(30, 5000)),
        b"stts": table(b"stts", [(5000, 512)]),
    }
    assert "more bytes than there are" in rejection(mp4(TrackSpec(tables=far | counts)))


def test_runs_that_announce_2_to_the_31_samples_are_rejected() -> None:
    assert "announces more" in rejection(media.fragmented_mp4(announced=2**31))
    assert "cut short" in rejection(media.fragmented_mp4(own_durations=False, announced=2**31))
    empty = replace(TrackSpec(), sample_size=0)
    data = media.fragmented_mp4(empty, own_durations=False, announced=2**20)
    assert "more frames than there are bytes" in rejection(data)


def test_a_fragment_of_an_unknown_track_is_rejected() -> None:
    data = media.fragmented_mp4(TrackSpec(id=7))
    unknown = data.replace(
        full_box(b"tfhd", 0, 0x20000, words(7)), full_box(b"tfhd", 0, 0x20000, words(8))
    )
    assert "track that is not there" in rejection(unknown)


@pytest.mark.parametrize(
    "side", [(0, 360), (640, 0), (65_535, 65_535), (16_385, 16), (16_384, 16_384)]
)
def test_impossible_frame_sizes_are_rejected(side: tuple[int, int]) -> None:
    entry = video_entry(width=side[0], height=side[1])
    assert f"{side[0]} by {side[1]}" in rejection(mp4(TrackSpec(entry=entry)))


def test_49_days_in_the_sample_table_are_rejected() -> None:
    track = TrackSpec(timescale=1000, durations=[(1, 2**32 - 1)])
    assert "longer than 48 hours" in rejection(mp4(track))


def test_thousands_of_frames_a_second_are_rejected() -> None:
    track = TrackSpec(timescale=90_000, durations=[(500, 18)])
    assert "frames per second" in rejection(mp4(track))


def test_video_that_lasts_no_time_is_rejected() -> None:
    assert "no time" in rejection(mp4(TrackSpec(durations=[(50, 0)])))
    assert "no clock" in rejection(
        mp4().replace(words(0, 0, 12_800, 25_600), words(0, 0, 0, 25_600))
    )
