"""Encode a rendition of the ladder: H.264 at one of its heights."""

from pathlib import Path

from transcode_service.media import tone_mapping
from transcode_service.media.playlists import write_rendition
from transcode_service.media.remux import FRAGMENTS, MOVFLAGS, TIMESCALE
from transcode_service.media.sandbox import reading, run_ffmpeg
from transcode_service.media.source_info import (
    RenditionInfo,
    Report,
    SandboxLimits,
    SourceInfo,
    VideoTrack,
)

PRESET = "veryfast"
CRF = 23
KEYFRAME_SECONDS = 2
MAX_FRAME_RATE = 60
"""Frames a second; few screens show more."""

_LARGEST_ERROR_SHARE = "0.05"

# Kilobits a second by shorter side: Apple's ladder, HLS Authoring Specification, 9.
_CAPS = {240: 400, 360: 900, 480: 1600, 720: 3600, 1080: 6000}
_FAST = 40  # frames a second, above which the cap is half as much again


def encode_rendition(
    source: Path,
    folder: Path,
    *,
    info: SourceInfo,
    limits: SandboxLimits,
    report: Report,
    height: int,
) -> RenditionInfo:
    """Make the rendition "<height>p": H.264 square pixels, upright, at most 60 frames/s.

    :param height: the shorter side, as :func:`plan` gave it.
    :raises MediaFailed: see :func:`run_ffmpeg`.
    """
    video = info.video
    width, lines = fit(video, height)
    name = f"{height}p"
    rate = cap(video, height)
    if video.hdr:
        tone_mapping.write_cube(folder, video.hdr)
    arguments = [
        *reading(source, info, limits),
        *("-map", f"0:{video.index}", "-vf", ",".join(_filters(video, width, lines))),
        *("-fps_mode", "vfr", "-enc_time_base", "1:90000", "-max_error_rate", _LARGEST_ERROR_SHARE),
        *("-c:v", "libx264", "-preset", PRESET, "-crf", str(CRF), "-profile:v", "high"),
        *("-maxrate", f"{rate}k", "-bufsize", f"{2 * rate}k", "-threads", str(limits.threads)),
        *("-force_key_frames", f"expr:gte(t,n_forced*{KEYFRAME_SECONDS})"),
        *("-g", "1000", "-sc_threshold", "0", "-pix_fmt", "yuv420p"),
        *FRAGMENTS,
        *("-movflags", MOVFLAGS + "+frag_keyframe", "-video_track_timescale", TIMESCALE),
        f"file:{name}.mp4",
    ]
    run_ffmpeg(arguments, folder=folder, info=info, limits=limits, report=report)
    return write_rendition(folder, name, kind="video", width=width, height=lines)


def fit(video: VideoTrack, side: int) -> tuple[int, int]:
    """Return width and height, even, whose shorter one is `side`."""
    scale = side / video.side
    if video.width >= video.height:
        return max(2, round(video.width * scale / 2) * 2), side
    return side, max(2, round(video.height * scale / 2) * 2)


def cap(video: VideoTrack, side: int) -> int:
    """Return the kilobits a second that a rendition may take, by Apple's ladder."""
    rate = _CAPS[next((height for height in sorted(_CAPS) if side <= height), max(_CAPS))]
    return rate * 3 // 2 if min(video.frame_rate, MAX_FRAME_RATE) > _FAST else rate


def _filters(video: VideoTrack, width: int, height: int) -> list[str]:
    filters: list[str] = []
    if video.frame_rate > MAX_FRAME_RATE + 1:
        filters.append(f"fps={MAX_FRAME_RATE}")
    if video.interlaced:
        filters.append("yadif=deint=interlaced")
    return [*filters, *tone_mapping.filters(video, width, height), "setsar=1"]
