"""Inspection of an MP4 agrees with ffprobe about files that ffmpeg made."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests import media
from upload_service.inspect import NotAVideo, VideoInfo, inspect_file

pytestmark = pytest.mark.needs_ffmpeg

MP4_ALONE = frozenset({"mp4"})


def info(path: Path, formats: frozenset[str] = MP4_ALONE) -> VideoInfo:
    with path.open("rb") as file:
        return inspect_file(file, size=path.stat().st_size, formats=formats)


def probe(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams"]
    done = subprocess.run([*command, f"file:{path}"], check=True, capture_output=True, timeout=30)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


ACCEPTED = [
    ("index-first.mp4", "avc1.64000c", "mp4a.40.2"),
    ("index-last.mp4", "avc1.42c00c", "mp4a.40.2"),
    ("fragmented.mp4", "avc1.64000c", "mp4a.40.2"),
    ("fragmented-after-index.mp4", "avc1.42c00c", "mp4a.40.2"),
    ("fragmented-dash.mp4", "avc1.42c00c", None),
    ("no-sound.mp4", "avc1.42c00c", None),
    ("rotated.mp4", "avc1.42c00c", None),
    ("narrow-pixels.mp4", "avc1.42c00c", None),
    ("wide-pixels.mp4", "avc1.42c00c", None),
    ("variable-rate.mp4", "avc1.42c00c", "mp4a.40.2"),
    ("delayed.mp4", "avc1.42c00c", "mp4a.40.2"),
    ("trimmed.mp4", "avc1.64000c", None),
    ("hevc.mp4", "hvc1.1.6.L60.90", "mp4a.40.2"),
    ("hevc-10-bit.mp4", "hev1.2.4.L60.90", None),
    ("av1.mp4", "av01.0.00M.08", "Opus"),
    ("vp9.mp4", "vp09.00.11.08", "fLaC"),
    ("quicktime.mov", "avc1.42c00c", "mp4a.40.2"),
    ("pcm.mov", "avc1.42c00c", "sowt"),
    ("mp3.mp4", "avc1.42c00c", "mp4a.6B"),
    ("ac3.mp4", "avc1.42c00c", "ac-3"),
    ("two-sounds.mp4", "avc1.42c00c", "mp4a.40.2"),
]


@pytest.mark.parametrize(("name", "video_codec", "audio_codec"), ACCEPTED)
def test_properties_agree_with_ffprobe(
    name: str, video_codec: str, audio_codec: str | None
) -> None:
    path = media.make(name)
    read, probed = info(path), probe(path)
    video = next(stream for stream in probed["streams"] if stream["codec_type"] == "video")
    sounds = [stream for stream in probed["streams"] if stream["codec_type"] == "audio"]
    assert abs(read.duration_ms - float(probed["format"]["duration"]) * 1000) <= 50
    assert (read.width, read.height) == display_size(video)
    # The level is the encoder's choice, and differs between its versions.
    assert family(read.video_codec) == family(video_codec)
    assert read.video_codec.startswith(video["codec_tag_string"])
    assert read.audio_codec == audio_codec
    assert bool(sounds) == (audio_codec is not None)


def display_size(video: dict[str, Any]) -> tuple[int, int]:
    width, height = video["width"], video["height"]
    pixel = Fraction(video.get("sample_aspect_ratio", "1:1").replace(":", "/"))
    if pixel > 1:
        width = round(width * pixel)
    else:
        height = round(height / pixel)
    turn = next((data["rotation"] for data in video.get("side_data_list", ())), 0)
    return (height, width) if turn % 180 else (width, height)


def family(codec: str) -> str:
    return codec.split(".", maxsplit=1)[0]


REJECTED = [
    ("prores.mov", "ProRes"),
    ("mpeg4.mp4", "MPEG-4 part 2"),
    ("mjpeg.mov", "Motion JPEG"),
    ("sound-only.m4a", "audio but no video"),
    ("video.avi", "AVI"),
    ("video.mkv", "Matroska"),
    ("video.webm", "Matroska"),
    ("video.ts", "MPEG transport stream"),
    ("video.flv", "Flash"),
    ("video.mpg", "MPEG program stream"),
    ("video.wmv", "Windows Media"),
    ("sound.ogg", "Ogg"),
    ("sound.mp3", "audio file .MP3"),
    ("sound.wav", "audio file .WAV"),
    ("picture.png", "picture .PNG"),
    ("picture.gif", "picture .GIF"),
]


@pytest.mark.parametrize(("name", "words"), REJECTED)
def test_what_is_rejected_is_named(name: str, words: str) -> None:
    with pytest.raises(NotAVideo, match=words):
        info(media.make(name))


@pytest.mark.parametrize("name", ["index-first.mp4", "index-last.mp4", "fragmented.mp4"])
def test_a_real_file_cut_anywhere_is_rejected(tmp_path: Path, name: str) -> None:
    whole = media.make(name).read_bytes()
    cut = tmp_path / "cut.mp4"
    for tenth in range(1, 10):
        cut.write_bytes(whole[: len(whole) * tenth // 10])
        with pytest.raises(NotAVideo):
            info(cut)


@pytest.mark.parametrize(
    ("name", "container", "playable"),
    [
        ("index-first.mp4", "mp4", True),
        ("quicktime.mov", "mov", True),
        ("av1.mp4", "mp4", True),
        ("vp9.mp4", "mp4", True),
        ("hevc.mp4", "mp4", False),
        ("deep.mp4", "mp4", False),
    ],
)
def test_what_browsers_play_is_told_apart(name: str, container: str, playable: bool) -> None:
    found = info(media.make(name))

    assert (found.container, found.playable) == (container, playable)


def test_prores_comes_in_where_it_is_asked_for() -> None:
    found = info(media.make("prores.mov"), frozenset({"mov"}))

    assert (found.video_codec, found.container, found.playable) == ("apch", "mov", False)
    with pytest.raises(NotAVideo, match="MP4 video, which this site does not take"):
        info(media.make("index-first.mp4"), frozenset({"mov"}))
