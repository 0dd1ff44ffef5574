"""The processor time of all renditions beside that of one plain ffmpeg command for each."""

import resource
import subprocess
from pathlib import Path
from statistics import mean

from transcode_service.media.ladder import plan
from transcode_service.media.probe import check, measure
from transcode_service.media.renditions import (
    CRF,
    KEYFRAME_SECONDS,
    PRESET,
    cap,
    encode_rendition,
    fit,
    make_audio,
    remux_video,
)
from transcode_service.media.sandbox import find_ffmpeg
from transcode_service.media.source_info import SandboxLimits
from transcode_service.media.storyboard import make_thumbnails

_ROUNDS = 2


def compare_ladder_cost(path: Path, folder: Path) -> float:
    """Return how many times the processor time of plain ffmpeg the ladder takes."""
    ratios = []
    for _ in range(_ROUNDS):
        ours = _cost_of_ladder(path, folder)
        plain = _cost_of_plain_ffmpeg(path, folder)
        ratios.append(ours / plain)
        print(f"  ladder: {ours:.1f} s, plain ffmpeg: {plain:.1f} s", flush=True)
    return mean(ratios)


def _cost_of_ladder(path: Path, folder: Path) -> float:
    """Return the processor seconds of every step."""
    limits = SandboxLimits()
    began = _cpu_seconds()
    info = measure(path, limits)
    check(path, info=info, limits=limits)
    make_thumbnails(path, folder, info=info, limits=limits, report=_ignore)
    remux_video(path, folder, info=info, limits=limits, report=_ignore)
    make_audio(path, folder, info=info, limits=limits, report=_ignore)
    for height in plan(info).heights:
        encode_rendition(path, folder, info=info, limits=limits, report=_ignore, height=height)
    return _cpu_seconds() - began


def _cost_of_plain_ffmpeg(path: Path, folder: Path) -> float:
    """Return the processor seconds of one command for each rendition, with the same settings."""
    info = measure(path, SandboxLimits())
    keyframes = round(KEYFRAME_SECONDS * info.video.frame_rate)
    began = _cpu_seconds()
    for height in plan(info).heights:
        width, lines = fit(info.video, height)
        max_rate = cap(info.video, height)
        command = [
            *(find_ffmpeg(), "-v", "error", "-nostdin", "-y", "-i", f"file:{path}"),
            *("-vf", f"scale={width}:{lines}", "-c:v", "libx264", "-preset", PRESET),
            *("-crf", str(CRF), "-maxrate", f"{max_rate}k", "-bufsize", f"{2 * max_rate}k"),
            *("-g", str(keyframes), "-sc_threshold", "0", "-c:a", "aac"),
            *("-f", "hls", "-hls_time", "4", "-hls_segment_type", "fmp4"),
            *("-hls_playlist_type", "vod", "-hls_flags", "single_file+independent_segments"),
            f"{folder}/plain-{height}.m3u8",
        ]
        subprocess.run(command, check=True, cwd=folder, capture_output=True)
    return _cpu_seconds() - began


def _cpu_seconds() -> float:
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _ignore(_done: float) -> None:
    pass
