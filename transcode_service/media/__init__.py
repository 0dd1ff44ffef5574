"""Everything that runs ffmpeg: one function for each step. No Flask, no database.

Each step reads `source` (the original) and writes into `folder` (its attempt's own), and returns
what lies there ready to be published. `report` is called about twice a second with how much is
done; an exception from it ends the step and its processes.

A master playlist may be published only once the audio step is done (or the plan has no audio):
until then the video would play without it.
"""

from transcode_service.media.audio import make_audio
from transcode_service.media.encode import encode_rendition
from transcode_service.media.ladder import Plan, plan
from transcode_service.media.playlists import write_master
from transcode_service.media.probe import check, measure
from transcode_service.media.remux import remux_video
from transcode_service.media.sandbox import find_ffmpeg, network_is_denied
from transcode_service.media.source_info import (
    AudioTrack,
    DiskFull,
    MediaFailed,
    RenditionInfo,
    Report,
    SandboxLimits,
    SourceInfo,
    UnplayableSource,
    VideoTrack,
)
from transcode_service.media.storyboard import make_thumbnails

__all__ = [
    "AudioTrack",
    "DiskFull",
    "MediaFailed",
    "Plan",
    "RenditionInfo",
    "Report",
    "SandboxLimits",
    "SourceInfo",
    "UnplayableSource",
    "VideoTrack",
    "check",
    "encode_rendition",
    "find_ffmpeg",
    "make_audio",
    "make_thumbnails",
    "measure",
    "network_is_denied",
    "plan",
    "remux_video",
    "write_master",
]
