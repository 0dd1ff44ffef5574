"""Make a rendition of each audio track: AAC, stereo."""

from pathlib import Path

from transcode_service.media.playlists import SEGMENT_SECONDS, write_rendition
from transcode_service.media.remux import FRAGMENTS, MOVFLAGS
from transcode_service.media.sandbox import reading, run_ffmpeg
from transcode_service.media.source_info import (
    AudioTrack,
    RenditionInfo,
    Report,
    SandboxLimits,
    SourceInfo,
)

BIT_RATE = 128_000
_MAX_COPIED_RATE = 320_000  # bits a second
_RATES = frozenset({44_100, 48_000})
_LATE_MS = 20
_FRAGMENT = int(SEGMENT_SECONDS * 1_000_000)  # microseconds

# Encoder delay, and what an edit list hides, lie before the start of the video.
_FROM_ZERO = ("-bsf:a", "noise=drop=lt(pts\\,0)")


def make_audio(
    source: Path, folder: Path, *, info: SourceInfo, limits: SandboxLimits, report: Report
) -> tuple[RenditionInfo, ...]:
    """Make "audio-1", "audio-2" and so on: copied if the source has stereo AAC, else encoded.

    :raises MediaFailed: see :func:`run_ffmpeg`.
    """
    if not info.audio:
        return ()
    arguments = reading(source, info, limits)
    ordered = sorted(info.audio, key=lambda track: not track.default)
    for number, track in enumerate(ordered, start=1):
        arguments += ["-map", f"0:{track.index}", *_codec(track), *_FROM_ZERO, *FRAGMENTS]
        arguments += ["-movflags", MOVFLAGS, "-frag_duration", str(_FRAGMENT)]
        arguments += [f"file:audio-{number}.mp4"]
    run_ffmpeg(arguments, folder=folder, info=info, limits=limits, report=report)
    return tuple(
        write_rendition(
            folder, f"audio-{number}", kind="audio", language=track.language, title=track.title
        )
        for number, track in enumerate(ordered, start=1)
    )


def can_copy(track: AudioTrack) -> bool:
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
    if can_copy(track):
        return ["-c:a", "copy"]
    rate = track.sample_rate if track.sample_rate in _RATES else 48_000
    # Silence fills gaps, also at the start, so that audio and video stay in sync.
    resample = f"aresample={rate}:async=1000:first_pts=0"
    return ["-af", resample, "-ac", "2", "-c:a", "aac", "-b:a", str(BIT_RATE)]
