"""Draw the poster and the storyboard, from keyframes only."""

from pathlib import Path

from transcode_service.media.facts import MediaLimits, Pictures, Report, SourceFacts
from transcode_service.media.sandbox import reading, run_ffmpeg


def draw_pictures(
    source: Path, folder: Path, *, facts: SourceFacts, limits: MediaLimits, report: Report
) -> Pictures:
    """Make poster.jpg."""
    arguments = [
        *("-skip_frame", "nokey"),
        *reading(source, facts, limits),
        *("-map", f"0:{facts.video.index}", "-vf", "scale='min(1280,iw)':-2"),
        *("-frames:v", "1", "-update", "1", "file:poster.jpg"),
    ]
    run_ffmpeg(arguments, folder=folder, facts=facts, limits=limits, report=report)
    return Pictures(("poster.jpg",))
