"""Pack the original's own pictures as HLS, without touching them."""

from pathlib import Path

from transcode_service.media.facts import MadeRendition, MediaLimits, Report, SourceFacts
from transcode_service.media.playlists import write_rendition
from transcode_service.media.sandbox import reading, run_ffmpeg

NAME = "source"

TIMELINE_START = 10
"""Seconds at which a film begins in its renditions.

Pictures are decoded before they are shown, the first ones before the film begins. Edit lists and
negative offsets would say so too, but players read these differently, and sound and pictures, which
are separate files, would drift apart by some pictures. Players of HLS begin wherever a film does.
"""

FRAGMENTS = (
    *("-f", "mp4", "-use_editlist", "0", "-avoid_negative_ts", "disabled"),
    *("-output_ts_offset", str(TIMELINE_START)),
    *("-map_metadata", "-1", "-map_chapters", "-1", "-write_tmcd", "0"),
)
"""How any rendition is written: every fragment says its own time, and nothing else does."""

TIMESCALE = "90000"
"""Ticks a second, the same in all renditions' pictures.

Where it changes, hls.js reckons the beginning anew, from when pictures are decoded instead of when
they are shown. These differ by what the encoder reorders, so each change of quality would leave a
hole.
"""

MOVFLAGS = "+default_base_moof+delay_moov+skip_trailer+frag_discont"
_MIN_FRAGMENT = 2_000_000  # microseconds: films made of keyframes would have one for each picture


def copy_video(
    source: Path, folder: Path, *, facts: SourceFacts, limits: MediaLimits, report: Report
) -> MadeRendition:
    """Make the rendition "source" out of the original's packets; :func:`plan` says whether it may.

    :raises MediaFailed: see :func:`run_ffmpeg`.
    """
    video = facts.video
    arguments = [
        *reading(source, facts, limits),
        *("-map", f"0:{video.index}", "-c", "copy", *FRAGMENTS),
        *("-movflags", MOVFLAGS + "+frag_keyframe", "-min_frag_duration", str(_MIN_FRAGMENT)),
        *("-video_track_timescale", TIMESCALE),
        f"file:{NAME}.mp4",
    ]
    run_ffmpeg(arguments, folder=folder, facts=facts, limits=limits, report=report)
    return write_rendition(folder, NAME, kind="video", width=video.width, height=video.height)
