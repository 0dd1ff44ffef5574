"""Matroska and WebM are accepted by their header; the check job reads the rest."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import media
from upload_service.inspect import NotAVideo, VideoInfo, inspect_file

ALL = frozenset({"mp4", "mov", "mkv", "webm"})
DOC_TYPE = b"\x42\x82"


def info(data: bytes, formats: frozenset[str] = ALL) -> VideoInfo:
    return inspect_file(io.BytesIO(data), size=len(data), formats=formats)


def rejection(data: bytes, formats: frozenset[str] = ALL) -> str:
    with pytest.raises(NotAVideo) as caught:
        info(data, formats)
    assert caught.value.sentence.endswith(".")
    return caught.value.sentence


def file_of(doc_type: bytes, *, size: bytes | None = None) -> bytes:
    """Return a file with this DocType, whose size is written in these bytes if asked."""
    element = DOC_TYPE + (size or bytes([0x80 | len(doc_type)])) + doc_type
    header = b"\x42\x86\x81\x01" + element + b"\x42\x87\x81\x04"
    return b"\x1aE\xdf\xa3" + bytes([0x80 | len(header)]) + header + bytes(100)


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize("name", ["sound.mkv", "vp9.webm", "live.webm"])
def test_what_ffmpeg_makes_is_accepted_and_not_measured(name: str) -> None:
    found = info(media.make(name).read_bytes())

    assert found == VideoInfo(container=name.rpartition(".")[2], playable=False)
    assert found.duration_ms is None


@pytest.mark.parametrize(
    ("data", "container"),
    [
        (file_of(b"matroska"), "mkv"),
        (file_of(b"webm"), "webm"),
        (file_of(b"webm", size=b"\x40\x04"), "webm"),
        (file_of(b"webm", size=b"\x01\0\0\0\0\0\0\x04"), "webm"),
        (file_of(b"matroska\0", size=b"\x89"), "mkv"),
    ],
)
def test_the_doc_type_tells_webm_from_matroska(data: bytes, container: str) -> None:
    assert info(data).container == container


@pytest.mark.needs_ffmpeg
@pytest.mark.parametrize("name", ["sound.mkv", "vp9.webm"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9999])
def test_a_file_shorter_than_its_header_says_is_rejected(name: str, share: float) -> None:
    data = media.make(name).read_bytes()

    assert "cut short" in rejection(data[: int(len(data) * share)])


@pytest.mark.parametrize("size", [b"\xff", b"\x01" + b"\xff" * 7, b"\xe4", b"\x40\x64"])
def test_the_size_may_be_unknown_and_of_any_length(size: bytes) -> None:
    header = file_of(b"webm")[:-100]

    assert info(header + b"\x18\x53\x80\x67" + size + bytes(100)).container == "webm"


def test_a_format_that_is_not_accepted_is_rejected() -> None:
    assert "it is a video of another format (Matroska, WebM)" in rejection(
        file_of(b"webm"), frozenset({"mp4"})
    )
    assert "This is a WebM video" in rejection(file_of(b"webm"), frozenset({"mp4", "mkv"}))
    assert "This is a Matroska video" in rejection(file_of(b"matroska"), frozenset({"webm"}))


@pytest.mark.parametrize(
    "data",
    [b"\x1aE\xdf\xa3", file_of(b"other"), file_of(b"webmx"), bytes(4) + file_of(b"webm")],
    ids=["only the magic", "another type", "a longer type", "another beginning"],
)
def test_what_is_neither_is_rejected(data: bytes) -> None:
    rejection(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_accepted_or_rejected(data: bytes) -> None:
    with suppress(NotAVideo):
        assert info(b"\x1aE\xdf\xa3" + data).container in {"mkv", "webm"}
