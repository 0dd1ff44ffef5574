"""Matroska and WebM: real files, and bent ones."""

import io
import struct
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import media
from upload_service.inspection import inspect
from upload_service.mp4 import NotAVideo, VideoFacts

ALL = frozenset({"mp4", "mov", "mkv", "webm"})


def facts(data: bytes, formats: frozenset[str] = ALL) -> VideoFacts:
    return inspect(io.BytesIO(data), size=len(data), formats=formats)


def refusal(data: bytes, formats: frozenset[str] = ALL) -> str:
    with pytest.raises(NotAVideo) as caught:
        facts(data, formats)
    assert caught.value.sentence.endswith(".")
    return caught.value.sentence


def element(name: int, *content: bytes, size: bytes | None = None) -> bytes:
    """Return an element, announcing another size if asked."""
    body = b"".join(content)
    if size is None:
        size = (len(body) | 1 << 56).to_bytes(8, "big")
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + size + body


UNKNOWN = b"\xff"
HUGE = struct.pack(">Q", 1 << 56 | (1 << 56) - 2)  # the largest size there is

HEADER = element(0x1A45DFA3, element(0x4282, b"matroska"))
INFO = element(0x1549A966, element(0x4489, struct.pack(">d", 2000.0)))
VIDEO = element(0xE0, element(0xB0, b"\x02\x80"), element(0xBA, b"\x01\x68"))
TRACK = element(0xAE, element(0x83, b"\1"), element(0x86, b"V_VP9"), VIDEO)
TRACKS = element(0x1654AE6B, TRACK)
BLOCK = element(0xA3, b"\x81\x07\x80\x80data")  # of track 1, 1920 ms after the cluster
CLUSTER = element(0x1F43B675, element(0xE7, b"\0"), BLOCK)


def film(*parts: bytes, header: bytes = HEADER, size: bytes | None = None) -> bytes:
    return header + element(0x18538067, *(parts or (INFO, TRACKS, CLUSTER)), size=size)


def test_a_film_that_is_built_by_hand() -> None:
    assert facts(film()) == VideoFacts(
        duration_ms=2000,
        width=640,
        height=360,
        video_codec="vp9",
        audio_codec=None,
        fast_start=True,
        fragmented=False,
        container="mkv",
        playable=False,
    )


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "video_codec", "audio_codec"),
    [
        ("sound.mkv", "avc1.42c00c", "mp4a.40.2"),
        ("longer-sound.mkv", "avc1.42c00c", "flac"),
        ("hevc.mkv", "hvc1.1.6.L60.90", None),
        ("av1.mkv", "av01.0.00M.08", "opus"),
        ("vp9.webm", "vp9", "opus"),
        ("av1.webm", "av01.0.00M.08", None),
        ("video.webm", "vp8", None),
        ("live.webm", "vp9", "opus"),
    ],
)
def test_what_ffmpeg_makes_is_accepted(
    tmp_path: Path, name: str, video_codec: str, audio_codec: str | None
) -> None:
    found = facts(media.make(tmp_path, name).read_bytes())

    assert (found.video_codec, found.audio_codec) == (video_codec, audio_codec)
    assert (found.width, found.height) == (320, 180)
    seconds = 6 if name == "longer-sound.mkv" else 2
    assert found.duration_ms == pytest.approx(seconds * 1000, abs=60)
    assert found.container == name[-4:].strip(".")
    assert not found.playable


@pytest.mark.needs_ffmpeg
def test_pixels_become_square(tmp_path: Path) -> None:
    found = facts(media.make(tmp_path, "wide-pixels.mkv").read_bytes())

    assert (found.width, found.height) == (427, 180)


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "words"),
    [("sound-only.mkv", "sound but no picture"), ("mpeg4.mkv", "picture of this file is")],
)
def test_what_cannot_be_converted_is_refused(tmp_path: Path, name: str, words: str) -> None:
    assert words in refusal(media.make(tmp_path, name).read_bytes())


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize("name", ["sound.mkv", "vp9.webm", "live.webm"])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.99])
def test_what_is_cut_short_is_refused(tmp_path: Path, name: str, share: float) -> None:
    data = media.make(tmp_path, name).read_bytes()

    refusal(data[: int(len(data) * share)])


def test_a_format_that_is_not_asked_for_is_refused() -> None:
    webm = film(header=element(0x1A45DFA3, element(0x4282, b"webm")))

    assert "it is a Matroska or WebM video" in refusal(film(), frozenset({"mp4"}))
    assert "This is a WebM video" in refusal(webm, frozenset({"mp4", "mkv"}))
    assert "This is a Matroska video" in refusal(film(), frozenset({"webm"}))
    assert facts(webm, frozenset({"webm"})).container == "webm"


def test_sizes_of_clusters_may_be_unknown_and_durations_missing() -> None:
    begun = element(0x1F43B675, element(0xE7, b"\0"), BLOCK, size=UNKNOWN)

    assert facts(film(TRACKS, begun, size=UNKNOWN)).duration_ms == 1920
    assert facts(film(TRACKS, begun, begun, INFO, size=UNKNOWN)).duration_ms == 2000


def test_a_duration_is_believed_as_far_as_there_are_pictures() -> None:
    long = element(0x1549A966, element(0x4489, struct.pack(">d", 4e9)))

    assert facts(film(long, TRACKS, CLUSTER)).duration_ms == 1920 + 60_000


def nest(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = element(0xAE, inner)
    return inner


def video(width: bytes, height: bytes) -> bytes:
    sides = element(0xB0, width), element(0xBA, height)
    track = element(0xAE, element(0x83, b"\1"), element(0x86, b"V_VP9"), element(0xE0, *sides))
    return film(INFO, element(0x1654AE6B, track), CLUSTER)


LOCKED = element(0x6D80, element(0x6240, element(0x5035, b"")))
HOSTILE = {
    "only the magic": b"\x1aE\xdf\xa3",
    "only a header": HEADER,
    "a header of unknown size": element(0x1A45DFA3, b"", size=UNKNOWN),
    "a huge header": element(0x1A45DFA3, b"", size=HUGE),
    "another type": film(header=element(0x1A45DFA3, element(0x4282, b"other"))),
    "a later version": film(header=element(0x1A45DFA3, element(0x4285, b"\x09"))),
    "a long number": film(header=element(0x1A45DFA3, element(0x4285, bytes(9)))),
    "a huge film": film(size=HUGE),
    "a huge index": film(element(0x1549A966, b"", size=HUGE), TRACKS, CLUSTER),
    "an index of unknown size": film(element(0x1654AE6B, TRACK, size=UNKNOWN), CLUSTER),
    "a huge track": film(INFO, element(0x1654AE6B, element(0xAE, size=HUGE)), CLUSTER),
    "a huge cluster": film(INFO, TRACKS, element(0x1F43B675, size=HUGE)),
    "a huge block": film(TRACKS, element(0x1F43B675, element(0xA3, size=HUGE), size=UNKNOWN)),
    "an id without end": film(b"\0" * 100),
    "a size without end": film(b"\xec\0" * 100),
    "no pictures": film(INFO, CLUSTER),
    "nothing but nesting": film(INFO, element(0x1654AE6B, nest(1000)), CLUSTER),
    "no cluster": film(INFO, TRACKS),
    "no time": film(element(0x1549A966, element(0x2AD7B1, b"\0")), TRACKS, CLUSTER),
    "a time that is none": film(element(0x1549A966, element(0x4489, b"\x7f\xc0\0\0")), TRACKS),
    "a time of three bytes": film(element(0x1549A966, element(0x4489, b"\0\0\0")), TRACKS),
    "an empty block": film(TRACKS, element(0x1F43B675, element(0xA3))),
    "a thousand tracks": film(INFO, element(0x1654AE6B, TRACK * 1000), CLUSTER),
    "a picture of no size": video(b"\0", b"\0"),
    "a picture of 100,000 points": video(b"\1\x86\xa0", b"\1\x86\xa0"),
    "49 days": film(TRACKS, element(0x1F43B675, element(0xE7, b"\xff\xff\xff\xff"))),
    "copy protection": film(
        INFO, element(0x1654AE6B, element(0xAE, element(0x83, b"\1"), VIDEO, LOCKED)), CLUSTER
    ),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_refused_in_words(data: bytes) -> None:
    refusal(data)


@pytest.mark.parametrize(
    "data",
    [
        film(b"\xec\x80" * 2_000_000),
        film(TRACKS, element(0x1F43B675, BLOCK * 400_000)),
        film(TRACKS, element(0x1F43B675, b"\xec\x80" * 2_000_000, size=UNKNOWN), size=UNKNOWN),
        film(element(0x1654AE6B, element(0xAE, b"\xec\x80" * 2_000_000)), CLUSTER),
    ],
    ids=["empty parts", "blocks", "an open cluster", "parts of a track"],
)
def test_a_file_in_countless_pieces_costs_little(data: bytes) -> None:
    begun = time.process_time()

    assert "too many small pieces" in refusal(data)

    assert time.process_time() - begun < 10


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_bent_bytes_are_accepted_or_refused(data: st.DataObject) -> None:
    whole = bytearray(film())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    with suppress(NotAVideo):
        assert facts(bytes(whole)).duration_ms >= 1
