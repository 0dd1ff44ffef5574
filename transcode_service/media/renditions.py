"""Make renditions for HLS: remux or encode the video, and copy or encode the audio."""

from dataclasses import replace
from pathlib import Path

from transcode_service.media import tone_mapping
from transcode_service.media.playlists import SEGMENT_SECONDS, write_rendition
from transcode_service.media.sandbox import reading, run_ffmpeg
from transcode_service.media.source_info import (
    AudioTrack,
    RenditionInfo,
    Report,
    SandboxLimits,
    SourceInfo,
    VideoTrack,
)

TIMELINE_START = 10
"""Seconds at which a video starts in its renditions.

Frames are decoded before they are displayed, the first ones before the video starts. Edit lists and
negative offsets could say so too, but players read them differently, and audio and video, which are
separate files, would be out of sync by a few frames. HLS players start at the first timestamp.
"""

_FRAGMENTS = (
    *("-f", "mp4", "-use_editlist", "0", "-avoid_negative_ts", "disabled"),
    *("-output_ts_offset", str(TIMELINE_START)),
    *("-map_metadata", "-1", "-map_chapters", "-1", "-write_tmcd", "0"),
)
"""How every rendition is written: each fragment has its own time, and nothing else has."""

_MOVFLAGS = "+default_base_moof+delay_moov+skip_trailer+frag_discont"

_TIMESCALE = "90000"
"""Ticks a second, the same in all video renditions.

When it changes, hls.js computes the start again, from decoding times instead of presentation times.
These differ by the encoder's reordering, so each change of quality would leave a gap.
"""

_VIDEO_FRAGMENTS = (
    *_FRAGMENTS,
    *("-movflags", _MOVFLAGS + "+frag_keyframe", "-video_track_timescale", _TIMESCALE),
)
_MIN_FRAGMENT = 2_000_000  # microseconds: a video of keyframes only would have one per frame

PRESET = "veryfast"
CRF = 23
KEYFRAME_SECONDS = 2
MAX_FRAME_RATE = 60  # frames a second; few screens show more
_LARGEST_ERROR_SHARE = "0.05"

# Kilobits a second by shorter side: Apple's ladder, HLS Authoring Specification, 9.
_CAPS = {240: 400, 360: 900, 480: 1600, 720: 3600, 1080: 6000}
_FAST = 40  # frames a second, above which the cap is half as much again

_AUDIO_BIT_RATE = 128_000
_MAX_COPIED_RATE = 320_000  # bits a second
_RATES = frozenset({44_100, 48_000})
_LATE_MS = 20
_AUDIO_FRAGMENT = int(SEGMENT_SECONDS * 1_000_000)  # microseconds

# Encoder delay, and what an edit list hides, lie before the start of the video.
_FROM_ZERO = ("-bsf:a", "noise=drop=lt(pts\\,0)")


def remux_video(
    source: Path, folder: Path, *, info: SourceInfo, limits: SandboxLimits, report: Report
) -> RenditionInfo:
    """Make the rendition "source" of the original's packets; :func:`plan` says whether it may."""
    video = info.video
    arguments = [
        *reading(source, info, limits),
        *("-map", f"0:{video.index}", "-c", "copy", *_VIDEO_FRAGMENTS),
        *("-min_frag_duration", str(_MIN_FRAGMENT), "file:source.mp4"),
    ]
    run_ffmpeg(arguments, folder=folder, info=info, limits=limits, report=report)
    made = write_rendition(folder, "source", kind="video")
    return replace(made, width=video.width, height=video.height)


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
        *_VIDEO_FRAGMENTS,
        f"file:{name}.mp4",
    ]
    run_ffmpeg(arguments, folder=folder, info=info, limits=limits, report=report)
    return replace(write_rendition(folder, name, kind="video"), width=width, height=lines)


def fit(video: VideoTrack, side: int) -> tuple[int, int]:
    """Return width and height, even, whose shorter one is `side`."""
    scale = side / video.side
    if video.width >= video.height:
        return max(2, round(video.width * scale / 2) * 2), side
    return side, max(2, round(video.height * scale / 2) * 2)


def cap(video: VideoTrack, side: int) -> int:
    """Return the kilobits a second that a rendition may take."""
    rate = _CAPS[next((height for height in sorted(_CAPS) if side <= height), max(_CAPS))]
    return rate * 3 // 2 if min(video.frame_rate, MAX_FRAME_RATE) > _FAST else rate


def _filters(video: VideoTrack, width: int, height: int) -> list[str]:
    filters: list[str] = []
    if video.frame_rate > MAX_FRAME_RATE + 1:
        filters.append(f"fps={MAX_FRAME_RATE}")
    if video.interlaced:
        filters.append("yadif=deint=interlaced")
    return [*filters, *tone_mapping.filters(video, width, height), "setsar=1"]


def make_audio(
    source: Path, folder: Path, *, info: SourceInfo, limits: SandboxLimits, report: Report
) -> tuple[RenditionInfo, ...]:
    """Make "audio-1", "audio-2" and so on: copied if the source has stereo AAC, else encoded."""
    if not info.audio:
        return ()
    arguments = reading(source, info, limits)
    ordered = sorted(info.audio, key=lambda track: not track.default)
    for number, track in enumerate(ordered, start=1):
        arguments += ["-map", f"0:{track.index}", *_codec(track), *_FROM_ZERO, *_FRAGMENTS]
        arguments += ["-movflags", _MOVFLAGS, "-frag_duration", str(_AUDIO_FRAGMENT)]
        arguments += [f"file:audio-{number}.mp4"]
    run_ffmpeg(arguments, folder=folder, info=info, limits=limits, report=report)
    made = (write_rendition(folder, f"audio-{n + 1}", kind="audio") for n in range(len(ordered)))
    return tuple(
        replace(rendition, language=track.language, title=track.title)
        for rendition, track in zip(made, ordered, strict=True)
    )


def _can_copy(track: AudioTrack) -> bool:
    """Tell whether a track's packets can be used as they are."""
    return (
        track.codec == "aac"
        and track.profile == "LC"
        and track.channels in (1, 2)
        and track.sample_rate in _RATES
        and track.bit_rate <= _MAX_COPIED_RATE
        and track.start_ms <= _LATE_MS
    )


def _codec(track: AudioTrack) -> list[str]:
    if _can_copy(track):
        return ["-c:a", "copy"]
    rate = track.sample_rate if track.sample_rate in _RATES else 48_000
    # Silence fills gaps, also at the start, so that audio and video stay in sync.
    resample = f"aresample={rate}:async=1000:first_pts=0"
    return ["-af", resample, "-ac", "2", "-c:a", "aac", "-b:a", str(_AUDIO_BIT_RATE)]
