"""The names of media, and the name that a download is kept under."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming_service.delivery.files import content_disposition, media_file

VALUE = re.compile(r"attachment; filename=\"([^\"]*)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("video.mp4", "original.mp4"),
        ("download", "original.mp4"),
        ("poster.jpg", "poster.jpg"),
        ("storyboard.jpg", "storyboard.jpg"),
        ("storyboard.vtt", "storyboard.vtt"),
        ("master.m3u8", "hls/master.m3u8"),
        ("hls/720p.m3u8", "hls/720p.m3u8"),
        ("hls/audio-0.mp4", "hls/audio-0.mp4"),
    ],
)
def test_names_and_their_places(name: str, place: str) -> None:
    media = media_file(name)

    assert media is not None
    assert media.path == place
    assert media.is_download == (name == "download")


@pytest.mark.parametrize(
    "name",
    [
        "", "original.mp4", "video.mp4/", "hls/", "hls/.mp4", "hls/../original.mp4", "hls/a.b.mp4",
        "hls/UP.mp4", "hls/a/b.mp4", f"hls/{'a' * 33}.mp4", "hls/a.ts", "hls/a.mp4\n",
        "captions/en.vtt", ".work-1-1/poster.jpg",
    ],
)  # fmt: skip
def test_everything_else_is_no_name(name: str) -> None:
    assert media_file(name) is None


@pytest.mark.parametrize(
    ("given_name", "plain", "full"),
    [
        ("holiday.mp4", "holiday.mp4", "holiday.mp4"),
        ("holiday.MOV", "holiday.mp4", "holiday.mp4"),
        ("Übung 1.mp4", "_bung 1.mp4", "Übung 1.mp4"),
        ('a"b\\c/d.mp4', "abcd.mp4", "abcd.mp4"),
        ("x\r\nSet-Cookie: a=b", "xSet-Cookie a_b.mp4", "xSet-Cookie a=b.mp4"),
        ("gpj.\u202e4pm", "gpj.4pm.mp4", "gpj.4pm.mp4"),
        ("..", "video.mp4", "video.mp4"),
        ("", "video.mp4", "video.mp4"),
        ("🎬" * 255, "_" * 60 + ".mp4", "🎬" * 60 + ".mp4"),
    ],
)
def test_what_a_download_is_called(given_name: str, plain: str, full: str) -> None:
    match = VALUE.fullmatch(content_disposition(given_name))

    assert match is not None
    assert match[1] == plain
    assert unquote(match[2]) == full


@pytest.mark.parametrize("container", ["mov", "mkv", "webm"])
def test_a_download_ends_as_its_kind_does(container: str) -> None:
    for name in ("holiday.mp4", "holiday.mkv", "holiday.WebM", "holiday"):
        assert f'"holiday.{container}"' in content_disposition(name, container)


@given(st.text(max_size=300))
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    value = content_disposition(name)

    assert VALUE.fullmatch(value), value
    assert len(value) < 1200
    assert value.isascii()
