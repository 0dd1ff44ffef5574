"""The former place of `upload_service.inspect`."""

from upload_service.inspect import NotAVideo
from upload_service.inspect import VideoInfo as VideoFacts

__all__ = ["NotAVideo", "VideoFacts"]
