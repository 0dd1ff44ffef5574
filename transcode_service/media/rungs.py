"""Encode a rung of the ladder."""

from pathlib import Path

from transcode_service.media import colours
from transcode_service.media.copying import FRAGMENTS, MOVFLAGS, TIMESCALE
from transcode_service.media.facts import (
    MadeRendition,
    MediaLimits,
    Report,
    SourceFacts,
    VideoTrack,
)
from transcode_service.media.playlists import write_rendition
from transcode_service.media.sandbox import reading, run_ffmpeg

PRESET = "veryfast"
CRF = 23
KEYFRAME_SECONDS = 2
MOST_FRAMES = 60
"""Frames a second: more is shown by few screens, and costs everybody."""

_LARGEST_ERROR_SHARE = "0.05"
_LATE_MS = 40

# Kilobits a second by shorter side: Apple's ladder, HLS Authoring Specification, 9.
_CAPS = {240: 400, 360: 900, 480: 1600, 720: 3600, 1080: 6000}
_FAST = 40  # frames a second from which on the cap is half as much again


def encode_rung(
    source: Path,
    folder: Path,
    *,
    facts: SourceFacts,
    limits: MediaLimits,
    report: Report,
    height: int,
) -> MadeRendition:
    """Make the rendition "<height>p": H.264 with square pixels, upright, at most 60 frames/s.

    :param height: the shorter side, as :func:`plan` gave it.
    :raises MediaFailed: see :func:`run_ffmpeg`.
    """
    video = facts.video
    width, lines = fit(video, height)
    name = f"{height}p"
    most = cap(video, height)
    if video.hdr:
        colours.write_cube(folder, video.hdr)
    arguments = [
        *reading(source, facts, limits),
        *("-map", f"0:{video.index}", "-vf", ",".join(_filters(video, width, lines))),
        *("-fps_mode", "vfr", "-enc_time_base", "1:90000", "-max_error_rate", _LARGEST_ERROR_SHARE),
        *("-c:v", "libx264", "-preset", PRESET, "-crf", str(CRF), "-profile:v", "high"),
        *("-maxrate", f"{most}k", "-bufsize", f"{2 * most}k", "-threads", str(limits.threads)),
        *("-force_key_frames", f"expr:gte(t,n_forced*{KEYFRAME_SECONDS})"),
        *("-g", "1000", "-sc_threshold", "0", "-pix_fmt", "yuv420p"),
        *FRAGMENTS,
        *("-movflags", MOVFLAGS + "+frag_keyframe", "-video_track_timescale", TIMESCALE),
        f"file:{name}.mp4",
    ]
    run_ffmpeg(arguments, folder=folder, facts=facts, limits=limits, report=report)
    return write_rendition(folder, name, kind="video", width=width, height=lines)


def fit(video: VideoTrack, side: int) -> tuple[int, int]:
    """Return width and height, even, whose shorter one is `side`."""
    scale = side / video.side
    if video.width >= video.height:
        return max(2, round(video.width * scale / 2) * 2), side
    return side, max(2, round(video.height * scale / 2) * 2)


def cap(video: VideoTrack, side: int) -> int:
    """Return the kilobits a second that a rung may take, between those of Apple's ladder."""
    class_ = next((rung for rung in sorted(_CAPS) if side <= rung), max(_CAPS))
    most = _CAPS[class_]
    return most * 3 // 2 if min(video.frame_rate, MOST_FRAMES) > _FAST else most


def _filters(video: VideoTrack, width: int, height: int) -> list[str]:
    filters: list[str] = []
    if video.frame_rate > MOST_FRAMES + 1:
        filters.append(f"fps={MOST_FRAMES}")
    if video.interlaced:
        filters.append("yadif=deint=interlaced")
    return [*filters, *colours.filters(video, width, height), "setsar=1"]
