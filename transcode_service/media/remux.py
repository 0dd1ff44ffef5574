"""Remux the original's video as HLS: the packets are copied, not encoded."""

from pathlib import Path

from transcode_service.media.playlists import write_rendition
from transcode_service.media.sandbox import reading, run_ffmpeg
from transcode_service.media.source_info import RenditionInfo, Report, SandboxLimits, SourceInfo

NAME = "source"

TIMELINE_START = 10
"""Seconds at which a video starts in its renditions.

Frames are decoded before they are displayed, the first ones before the video starts. Edit lists and
negative offsets could say so too, but players read them differently, and audio and video, which are
separate files, would be out of sync by a few frames. HLS players start at the first timestamp.
"""

FRAGMENTS = (
    *("-f", "mp4", "-use_editlist", "0", "-avoid_negative_ts", "disabled"),
    *("-output_ts_offset", str(TIMELINE_START)),
    *("-map_metadata", "-1", "-map_chapters", "-1", "-write_tmcd", "0"),
)
"""How every rendition is written: each fragment has its own time, and nothing else has."""

TIMESCALE = "90000"
"""Ticks a second, the same in all video renditions.

When it changes, hls.js computes the start again, from decoding times instead of presentation times.
These differ by the encoder's reordering, so each change of quality would leave a gap.
"""

MOVFLAGS = "+default_base_moof+delay_moov+skip_trailer+frag_discont"
_MIN_FRAGMENT = 2_000_000  # microseconds: a video of keyframes only would have one per frame


def remux_video(
    source: Path, folder: Path, *, info: SourceInfo, limits: SandboxLimits, report: Report
) -> RenditionInfo:
    """Make the rendition "source" of the original's packets; :func:`plan` says whether it may.

    :raises MediaFailed: see :func:`run_ffmpeg`.
    """
    video = info.video
    arguments = [
        *reading(source, info, limits),
        *("-map", f"0:{video.index}", "-c", "copy", *FRAGMENTS),
        *("-movflags", MOVFLAGS + "+frag_keyframe", "-min_frag_duration", str(_MIN_FRAGMENT)),
        *("-video_track_timescale", TIMESCALE),
        f"file:{NAME}.mp4",
    ]
    run_ffmpeg(arguments, folder=folder, info=info, limits=limits, report=report)
    return write_rendition(folder, NAME, kind="video", width=video.width, height=video.height)
