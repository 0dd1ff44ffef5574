"""Decide which renditions are made of a source."""

from dataclasses import dataclass

from transcode_service.media.source_info import SourceInfo

LADDER = (1080, 720, 480, 360, 240)  # heights of renditions: their shorter side in pixels
LONGEST_KEYFRAME_MS = 10_500  # a segment begins with a keyframe, and a viewer waits for a whole one
_LATE_MS = 100
_ALMOST = 1.1
_BROWSER_FORMATS = frozenset({"yuv420p", "yuvj420p"})
_SMALLEST = 16


@dataclass(frozen=True)
class Plan:
    """Whether the video is remuxed, and the heights to encode."""

    copy: bool
    heights: tuple[int, ...]


def plan(info: SourceInfo) -> Plan:
    """Return what is made of a source. Heights are ascending, and none exceeds the source.

    A source that cannot be remuxed is also encoded at its own size, up to the ladder's highest.
    """
    copy = can_copy(info)
    side = info.video.side
    heights = {height for height in LADDER if height < side or (height == side and not copy)}
    if not copy and side < LADDER[0] and side > max(heights, default=0) * _ALMOST:
        heights.add(max(side // 2 * 2, _SMALLEST))
    return Plan(copy=copy, heights=tuple(sorted(heights)))


def can_copy(info: SourceInfo) -> bool:
    """Tell whether the video can be remuxed: browsers play it as HLS without encoding.

    It must be 8-bit 4:2:0 H.264 that decodes from each keyframe, with keyframes no further apart
    than a segment may be long, and a frame at the start. Rotated video is encoded: not every player
    rotates what comes through Media Source Extensions, and the other renditions are upright.
    """
    video = info.video
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
