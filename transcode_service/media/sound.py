"""Make each sound track a rendition of its own: AAC, stereo."""

from pathlib import Path

from transcode_service.media.copying import FRAGMENTS, MOVFLAGS
from transcode_service.media.facts import (
    AudioTrack,
    MadeRendition,
    MediaLimits,
    Report,
    SourceFacts,
)
from transcode_service.media.playlists import SEGMENT_SECONDS, write_rendition
from transcode_service.media.sandbox import reading, run_ffmpeg

BIT_RATE = 128_000
_MOST_COPIED = 320_000  # bits a second
_RATES = frozenset({44_100, 48_000})
_LATE_MS = 20
_FRAGMENT = int(SEGMENT_SECONDS * 1_000_000)  # microseconds

# The encoder's run-in, and what an edit list hides, lie before the beginning of the film.
_FROM_ZERO = ("-bsf:a", "noise=drop=lt(pts\\,0)")


def make_audio(
    source: Path, folder: Path, *, facts: SourceFacts, limits: MediaLimits, report: Report
) -> tuple[MadeRendition, ...]:
    """Make "audio-1", "audio-2" and so on: copied where the source has AAC, else encoded.

    :raises MediaFailed: see :func:`run_ffmpeg`.
    """
    if not facts.audio:
        return ()
    arguments = reading(source, facts, limits)
    ordered = sorted(facts.audio, key=lambda track: not track.default)
    for number, track in enumerate(ordered, start=1):
        arguments += ["-map", f"0:{track.index}", *_codec(track), *_FROM_ZERO, *FRAGMENTS]
        arguments += ["-movflags", MOVFLAGS, "-frag_duration", str(_FRAGMENT)]
        arguments += [f"file:audio-{number}.mp4"]
    run_ffmpeg(arguments, folder=folder, facts=facts, limits=limits, report=report)
    return tuple(
        write_rendition(
            folder,
            f"audio-{number}",
            kind="audio",
            language=track.language,
            title=track.title,
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
        and track.bit_rate <= _MOST_COPIED
        and track.start_ms <= _LATE_MS
    )


def _codec(track: AudioTrack) -> list[str]:
    if can_copy(track):
        return ["-c:a", "copy"]
    rate = track.sample_rate if track.sample_rate in _RATES else 48_000
    # Silence fills what is missing at the beginning and in gaps, so that it stays in step.
    even = f"aresample={rate}:async=1000:first_pts=0"
    return ["-af", even, "-ac", "2", "-c:a", "aac", "-b:a", str(BIT_RATE)]
