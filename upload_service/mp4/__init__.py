"""MP4 files, read as boxes: is this one playable, and what is in it?

The rules are those of ISO/IEC 14496-12, the ISO base media file format, whose section numbers the
modules cite, and of QuickTime where its files differ. Nothing here needs ffmpeg, Flask or a
database, and nothing trusts a number that a file announces.
"""

from upload_service.mp4.inspection import VideoFacts, inspect
from upload_service.mp4.refusals import NotAVideo

__all__ = ["NotAVideo", "VideoFacts", "inspect"]
