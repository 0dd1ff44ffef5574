"""Each kind of source is converted correctly: size, time, colours, audio, and their sync."""

import array
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
import pytest

from tests.transcode_service.media.conftest import Sources, measured, quiet
from transcode_service.media.ladder import plan
from transcode_service.media.packet_scan import TrackScan
from transcode_service.media.probe import check, measure
from transcode_service.media.renditions import (
    TIMELINE_START,
    encode_rendition,
    make_audio,
    remux_video,
)
from transcode_service.media.source_info import SandboxLimits, UnplayableSource

pytestmark = pytest.mark.needs_ffmpeg


@pytest.mark.parametrize(
    ("name", "copy", "heights"),
    [
        ("ladder.mp4", True, (240, 360)),
        ("index-first.mp4", True, ()),
        ("index-last.mp4", True, ()),
        ("fragmented.mp4", True, ()),
        ("variable-rate.mp4", True, ()),
        ("no-sound.mp4", True, ()),
        ("rotated.mp4", False, (180,)),
        ("odd-size.mp4", False, (180,)),
        ("hevc.mp4", False, (180,)),
        ("hevc-10-bit.mp4", False, (180,)),
        ("hevc.mkv", False, (180,)),
        ("hdr.mp4", False, (180,)),
        ("vp9.mp4", False, (180,)),
        ("sound.mkv", True, ()),
        ("longer-sound.mkv", True, ()),
        ("live.webm", False, (180,)),
        ("prores.mov", False, (180,)),
        ("av1.mp4", False, (180,)),
        ("far-keyframes.mp4", False, (180,)),
        ("cut-between-keyframes.mp4", False, (240, 360, 480)),
    ],
)
def test_the_plan_follows_what_was_measured(
    source: Sources, limits: SandboxLimits, name: str, copy: bool, heights: tuple[int, ...]
) -> None:
    info = measure(source(name), limits)
    check(source(name), info=info, limits=limits)
    assert (plan(info).copy, plan(info).heights) == (copy, heights)


@pytest.mark.parametrize(
    ("name", "size", "rate"),
    [
        ("rotated.mp4", (180, 320), 25),
        ("odd-size.mp4", (320, 180), 25),
        ("slow-motion.mov", (320, 180), 60),
        ("variable-rate.mp4", (320, 180), None),
        ("hdr.mp4", (320, 180), 25),
        ("vp9.mp4", (320, 180), 25),
    ],
)
def test_a_rendition_is_upright_even_and_as_long_as_its_source(
    source: Sources,
    tmp_path: Path,
    either: SandboxLimits,
    name: str,
    size: tuple[int, int],
    rate: int | None,
) -> None:
    info = measured(source(name))
    done = {"info": info, "limits": either, "report": quiet}
    made = encode_rendition(source(name), tmp_path, **done, height=180)
    assert (made.width, made.height) == size
    with av.open(str(tmp_path / "180p.mp4")) as container:
        frames = list(container.decode(video=0))
    assert {(frame.width, frame.height, frame.format.name) for frame in frames} == {
        (*size, "yuv420p")
    }
    times = [float(frame.pts * frame.time_base) for frame in frames]
    assert times[0] == pytest.approx(TIMELINE_START, abs=0.001)
    lasted = times[-1] - times[0] + (1 / rate if rate else 0)
    assert lasted == pytest.approx(info.duration_ms / 1000, abs=0.1 if rate else 0.3)
    if rate:
        assert made.frame_rate == pytest.approx(rate, abs=0.5)
    else:
        assert len(frames) == count_packets(source(name))


def test_hdr_comes_down_to_what_all_screens_show(source: Sources, tmp_path: Path) -> None:
    info = measured(source("hdr.mp4"))
    assert info.video.hdr == "pq"
    done = {"info": info, "limits": SandboxLimits(), "report": quiet}
    encode_rendition(source("hdr.mp4"), tmp_path, **done, height=180)
    with av.open(str(tmp_path / "180p.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (int(frame.color_trc), int(frame.color_primaries), int(frame.colorspace)) == (
            1,
            1,
            1,
        )


def test_frames_that_need_one_from_before_their_keyframe_are_noticed() -> None:
    scan = TrackScan(time_base=0.04)
    plain = {"size": 1, "duration": 1, "dts": 0, "is_corrupt": False, "is_discard": False}
    for at, keyframe in ((0, True), (2, False), (1, False), (4, True), (6, False)):
        scan.take(cast("Any", SimpleNamespace(pts=at, is_keyframe=keyframe, **plain)))
    assert scan.self_contained
    scan.take(cast("Any", SimpleNamespace(pts=3, is_keyframe=False, **plain)))
    assert not scan.self_contained


@pytest.mark.parametrize("name", ["index-first.mp4", "index-last.mp4", "fragmented.mp4"])
def test_a_file_cut_in_half_is_rejected(
    source: Sources, tmp_path: Path, limits: SandboxLimits, name: str
) -> None:
    whole = source(name).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnplayableSource, match=r"cut short|damaged"):
        measure(path, limits)


def test_a_video_whose_frames_were_wiped_is_rejected(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    whole = bytearray(source("ladder.mp4").read_bytes())
    begin = whole.index(b"mdat") + 4
    length = (whole.index(b"moov") - begin) // 2
    whole[begin + length : begin + 2 * length - 8] = bytes(length - 8)
    path = tmp_path / "wiped.mp4"
    path.write_bytes(whole)
    with pytest.raises(UnplayableSource, match="damaged"):
        check(path, info=measure(path, limits), limits=limits)


def test_what_the_header_says_of_time_is_not_believed(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    whole = bytearray(source("no-sound.mp4").read_bytes())
    at = whole.index(b"mvhd") + 4 + 16
    whole[at : at + 4] = (0xFFFFFFF0).to_bytes(4, "big")  # 49 days of milliseconds
    path = tmp_path / "long.mp4"
    path.write_bytes(whole)
    assert measure(path, limits).duration_ms == pytest.approx(2000, abs=50)


def test_audio_tracks_keep_their_languages_and_the_default_comes_first(
    source: Sources, tmp_path: Path, either: SandboxLimits
) -> None:
    info = measured(source("languages.mp4"))
    made = make_audio(source("languages.mp4"), tmp_path, info=info, limits=either, report=quiet)
    assert [(row.name, row.language) for row in made] == [("audio-1", "fra"), ("audio-2", "eng")]
    assert {row.codecs for row in made} == {"mp4a.40.2"}


def test_late_audio_is_preceded_by_silence(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    info = measured(source("late-sound.mp4"))
    assert info.audio[0].start_ms == pytest.approx(800, abs=30)
    make_audio(source("late-sound.mp4"), tmp_path, info=info, limits=limits, report=quiet)
    begins = next(at for at, loud in loudness(tmp_path / "audio-1.mp4") if loud)
    assert begins == pytest.approx(TIMELINE_START + 0.8, abs=0.05)


def test_audio_and_video_are_in_sync_at_the_end_of_twenty_minutes(
    source: Sources, tmp_path: Path, either: SandboxLimits
) -> None:
    path = source("flashes.mp4")
    info = measured(path)
    assert plan(info).copy
    done = {"info": info, "limits": either, "report": quiet}
    remux_video(path, tmp_path, **done)
    make_audio(path, tmp_path, **done)
    for begin in (0, 1170):
        at = TIMELINE_START + begin
        seen = first_flash(tmp_path / "source.mp4", at)
        heard = next(time for time, loud in loudness(tmp_path / "audio-1.mp4", at) if loud)
        assert seen % 10 == pytest.approx(5, abs=0.04)
        assert heard == pytest.approx(seen, abs=0.04)


def count_packets(path: Path) -> int:
    """Return how many frames a file has."""
    with av.open(str(path)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


def first_flash(path: Path, begin: float) -> float:
    """Return the time of the first white frame after a time."""
    with av.open(str(path)) as container:
        container.seek(int(begin * av.time_base))
        for frame in container.decode(video=0):
            time = float(frame.pts * frame.time_base)
            if time >= begin and bytes(frame.planes[0])[frame.width // 2] > 128:
                return time
    raise AssertionError("there is no flash")


def loudness(path: Path, begin: float = 0) -> Iterator[tuple[float, bool]]:
    """Yield the time of each piece of audio, and whether it is loud."""
    with av.open(str(path)) as container:
        if begin:
            container.seek(int(begin * av.time_base))
        resampler = av.AudioResampler("s16", "mono", 8000)
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                values = array.array("h", bytes(piece.planes[0])[: 2 * piece.samples])
                time = float(piece.pts * piece.time_base)
                loud = next((n for n, value in enumerate(values) if abs(value) > 1500), None)
                if time >= begin:
                    yield time + (loud or 0) / 8000, loud is not None
