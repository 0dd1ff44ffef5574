"""A chosen poster: a moment of the video, or an image of one's own."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from tests.transcode_service.media.conftest import Sources, measured, quiet
from transcode_service.media.source_info import MediaFailed, SandboxLimits
from transcode_service.media.storyboard import make_poster_at, make_poster_of


def made(folder: Path, limits: SandboxLimits, data: bytes) -> Image.Image:
    """Return the poster that is made of an uploaded image."""
    image = folder / "uploaded"
    image.write_bytes(data)
    assert make_poster_of(image, folder, limits=limits, report=quiet) == "poster.jpg"
    return Image.open(io.BytesIO((folder / "poster.jpg").read_bytes()))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


@pytest.mark.needs_ffmpeg
def test_a_poster_shows_its_moment(source: Sources, tmp_path: Path, limits: SandboxLimits) -> None:
    path = source("begins-black.mp4")
    info = measured(path)
    light = []
    for at_ms in (0, info.duration_ms - 500, 10 * info.duration_ms):
        done = {"info": info, "limits": limits, "report": quiet}
        make_poster_at(path, tmp_path, at_ms=at_ms, **done)  # type: ignore[arg-type]
        with Image.open(tmp_path / "poster.jpg") as poster:
            light.append(ImageStat.Stat(poster.convert("L")).mean[0])
    assert light[0] < 5
    assert light[1] > 40
    assert light[2] == pytest.approx(light[1], abs=40)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_is_written_anew(tmp_path: Path, limits: SandboxLimits, kind: str) -> None:
    given = Image.new("RGB", (2600, 1300), (200, 30, 30))
    poster = made(tmp_path, limits, encoded(given, kind))
    assert (poster.format, poster.size) == ("JPEG", (1280, 640))
    red, green, _ = ImageStat.Stat(poster).mean
    assert red > 180
    assert green < 60


def test_an_image_is_turned_and_loses_its_metadata(tmp_path: Path, limits: SandboxLimits) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif[0x010E] = "where I live"
    given = encoded(Image.new("RGB", (400, 200)), "JPEG", exif=exif, comment="my address")
    poster = made(tmp_path, limits, given)
    assert poster.size == (200, 400)
    assert not poster.getexif()
    assert "comment" not in poster.info


def test_what_can_be_seen_through_is_black(tmp_path: Path, limits: SandboxLimits) -> None:
    poster = made(tmp_path, limits, encoded(Image.new("RGBA", (64, 64), (255, 255, 255, 0)), "PNG"))
    assert ImageStat.Stat(poster).mean == [0, 0, 0]


def cut_short() -> bytes:
    png = encoded(Image.effect_noise((640, 360), 50), "PNG")
    return png[: len(png) // 2]


FAULTS: dict[str, Callable[[], bytes]] = {
    "other format": lambda: encoded(Image.new("RGB", (64, 64)), "GIF"),
    "cut short": cut_short,
    "too many pixels": lambda: encoded(Image.new("1", (20_000, 20_000)), "PNG"),
    "no image": lambda: b"\x89PNG\r\n\x1a\n" + b"x" * 100,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_other_files_are_no_posters(tmp_path: Path, limits: SandboxLimits, fault: str) -> None:
    with pytest.raises(MediaFailed) as failed:
        made(tmp_path, limits, FAULTS[fault]())
    assert failed.value.is_final
