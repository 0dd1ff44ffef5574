"""Decide what is made of a source."""

from dataclasses import dataclass

from transcode_service.media.facts import AudioTrack, SourceFacts

LADDER = (1080, 720, 480, 360, 240)
"""Rungs by their shorter side."""

LONGEST_KEYFRAME_MS = 10_500
"""A segment begins with a keyframe, and a viewer waits for a whole one."""

_LATE_MS = 100
_ALMOST = 1.1
_BROWSER_FORMATS = frozenset({"yuv420p", "yuvj420p"})
_SMALLEST = 16


@dataclass(frozen=True)
class Plan:
    """What is made: the original's own pictures as HLS or not, sound tracks, and rungs."""

    copy: bool
    audio: tuple[AudioTrack, ...]
    heights: tuple[int, ...]


def plan(facts: SourceFacts) -> Plan:
    """Return what is made of a source: rungs from the lowest, none larger than the source.

    A source whose own pictures cannot be used gets a rung at its own size, up to the ladder's.
    """
    copy = can_copy(facts)
    side = facts.video.side
    heights = {height for height in LADDER if height < side or (height == side and not copy)}
    if not copy and side < LADDER[0] and side > max(heights, default=0) * _ALMOST:
        heights.add(max(side // 2 * 2, _SMALLEST))
    return Plan(copy=copy, audio=facts.audio, heights=tuple(sorted(heights)))


def can_copy(facts: SourceFacts) -> bool:
    """Tell whether browsers can play the source's own pictures as HLS.

    That takes 8-bit 4:2:0 H.264 that can be entered at each keyframe, keyframes no further apart
    than a segment may be long, and pictures from the beginning of the film on. Turned pictures are
    not copied: not every player turns those of a media source, and the rungs beside them are
    upright.
    """
    video = facts.video
    return (
        video.codec == "h264"
        and video.pixel_format in _BROWSER_FORMATS
        and not video.rotation
        and not video.hdr
        and not video.trimmed
        and not video.interlaced
        and video.self_contained
        and video.keyframe_ms <= LONGEST_KEYFRAME_MS
        and video.start_ms <= _LATE_MS
    )
