"""All that runs ffmpeg: one function for each step of preparing a video. No Flask, no database.

Each step reads `source` (the original) and writes into `folder` (its attempt's own), and returns
what lies there ready to be published. `report` is called about twice a second with how much is
done; what it raises ends the step and its processes.

A master playlist is to be published only once the step for the sound is done (or the plan has no
sound): until then its pictures would play without.
"""

from transcode_service.media.copying import copy_video
from transcode_service.media.facts import (
    AudioTrack,
    DiskFull,
    MadeRendition,
    MediaFailed,
    MediaLimits,
    Pictures,
    Refused,
    Report,
    SourceFacts,
    VideoTrack,
)
from transcode_service.media.measuring import check, measure
from transcode_service.media.pictures import draw_pictures
from transcode_service.media.planning import Plan, plan
from transcode_service.media.playlists import write_master
from transcode_service.media.rungs import encode_rung
from transcode_service.media.sandbox import find_ffmpeg
from transcode_service.media.sound import make_audio

__all__ = [
    "AudioTrack",
    "DiskFull",
    "MadeRendition",
    "MediaFailed",
    "MediaLimits",
    "Pictures",
    "Plan",
    "Refused",
    "Report",
    "SourceFacts",
    "VideoTrack",
    "check",
    "copy_video",
    "draw_pictures",
    "encode_rung",
    "find_ffmpeg",
    "make_audio",
    "measure",
    "plan",
    "write_master",
]
