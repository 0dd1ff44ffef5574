"""Poster and storyboard: what they show, of which times, in which colours and sizes."""

from pathlib import Path

import av
import pytest
from PIL import Image, ImageStat

from tests.transcode_service.media.conftest import Sources, measured, quiet
from transcode_service.media.source_info import MediaFailed, SandboxLimits
from transcode_service.media.storyboard import make_thumbnails

pytestmark = pytest.mark.needs_ffmpeg


def thumbnails(path: Path, folder: Path, limits: SandboxLimits) -> None:
    """Make the thumbnails of a source in a folder."""
    info = measured(path)
    make_thumbnails(path, folder, info=info, limits=limits, report=quiet)


def thumbnail(folder: Path, number: int, size: tuple[int, int]) -> Image.Image:
    """Return a thumbnail of the first row of the storyboard."""
    width, height = size
    with Image.open(folder / "storyboard.jpg") as sprite:
        return sprite.crop((number * width, 0, (number + 1) * width, height))


def colour(image: Image.Image) -> tuple[float, ...]:
    """Return the mean red, green and blue of an image."""
    return tuple(ImageStat.Stat(image.convert("RGB")).mean)


def test_the_poster_is_not_the_black_that_videos_begin_with(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    info = measured(source("begins-black.mp4"))
    done = {"info": info, "limits": limits, "report": quiet}
    make_thumbnails(source("begins-black.mp4"), tmp_path, **done)
    with av.open(str(tmp_path / "poster.jpg")) as container:
        frame = next(container.decode(video=0))
    light = bytes(frame.planes[0])
    assert (frame.width, frame.height) == (320, 180)
    assert 40 < sum(light) / len(light) < 215


def test_the_storyboard_covers_the_video_without_a_gap(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    info = measured(source("flashes.mp4"))
    done = {"info": info, "limits": limits, "report": quiet}
    names = make_thumbnails(source("flashes.mp4"), tmp_path, **done)
    assert names == ("poster.jpg", "storyboard.jpg", "storyboard.vtt")
    head, *cues = (tmp_path / "storyboard.vtt").read_text().strip().split("\n\n")
    assert head == "WEBVTT"
    assert len(cues) == 100
    before = "00:00:00.000"
    for cue in cues:
        times, target = cue.split("\n")
        begin, end = times.split(" --> ")
        assert begin == before
        assert target.startswith("storyboard.jpg#xywh=")
        before = end
    assert before == "00:20:00.000"
    with av.open(str(tmp_path / "storyboard.jpg")) as container:
        sprite = next(container.decode(video=0))
    assert (sprite.width, sprite.height) == (1600, 900)
    assert (tmp_path / "storyboard.jpg").stat().st_size < 1 << 20


def test_a_video_whose_frames_change_their_size_has_a_whole_storyboard(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    thumbnails(source("changing-size.mp4"), tmp_path, limits)
    with Image.open(tmp_path / "storyboard.jpg") as sprite:
        assert sprite.size == (6 * 160, 90)
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert poster.size == (320, 180)
    # The same test picture in both sizes, with a green and a blue bar.
    for number in (0, 5):
        shown = thumbnail(tmp_path, number, (160, 90))
        assert colour(shown.crop((32, 72, 47, 85))) == pytest.approx((0, 255, 0), abs=50)
        assert colour(shown.crop((86, 72, 101, 85))) == pytest.approx((0, 0, 255), abs=50)


@pytest.mark.parametrize(
    ("name", "size", "box", "expected"),
    [
        ("odd-size.mp4", (320, 180), (6, 144, 32, 171), (254, 0, 0)),
        ("rotated.mp4", (180, 320), (9, 6, 36, 32), (254, 0, 0)),
        ("hdr.mp4", (320, 180), (6, 144, 32, 171), (160, 107, 2)),
    ],
)
def test_the_poster_is_upright_in_the_colours_of_its_source(
    source: Sources,
    tmp_path: Path,
    limits: SandboxLimits,
    name: str,
    size: tuple[int, int],
    box: tuple[int, int, int, int],
    expected: tuple[int, int, int],
) -> None:
    thumbnails(source(name), tmp_path, limits)
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert poster.size == size
        assert colour(poster.crop(box)) == pytest.approx(expected, abs=6)


def test_a_step_that_fails_in_the_child_shows_no_traceback(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    whole = bytearray(source("no-sound.mp4").read_bytes())
    path = tmp_path / "wiped.mp4"
    info = measured(source("no-sound.mp4"))
    begin = whole.index(b"mdat") + 4
    length = int.from_bytes(whole[begin - 8 : begin - 4], "big") - 8
    whole[begin : begin + length] = bytes(length)
    path.write_bytes(whole)
    with pytest.raises(MediaFailed) as failed:
        make_thumbnails(path, tmp_path, info=info, limits=limits, report=quiet)
    assert failed.value.detail.strip().splitlines()[-1] == "ValueError: no frame was decoded"
    assert "Traceback" not in failed.value.detail
