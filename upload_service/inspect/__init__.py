"""Decide whether an uploaded file is a video of an accepted format, and read its properties.

MP4 and QuickTime files are walked box by box; Matroska and WebM files are accepted by their header.
Nothing here needs ffmpeg, Flask or a database, and no number in the file is trusted.
"""

from typing import BinaryIO

from common.formats import DEFAULT
from upload_service.inspect.errors import NotAVideo
from upload_service.inspect.matroska import FORMATS, MAGIC, inspect_matroska
from upload_service.inspect.mp4.boxes import BoxReader
from upload_service.inspect.mp4.walk import inspect_mp4
from upload_service.inspect.signatures import HEAD
from upload_service.inspect.video_info import VideoInfo

__all__ = ["NotAVideo", "VideoInfo", "inspect_file"]


def inspect_file(file: BinaryIO, *, size: int, formats: frozenset[str] = DEFAULT) -> VideoInfo:
    """Check that a file is a video that can be played or converted, and read its properties.

    :param file: open for reading, buffered and seekable; its position afterwards is undefined.
    :param size: its size in bytes.
    :param formats: the accepted formats: see `common.formats`.
    :raises NotAVideo: it is not, with a sentence that says what is wrong.
    :raises OSError: the file cannot be read.
    """
    reader = BoxReader(file, size)
    head = reader.read(0, min(size, HEAD))
    if formats & FORMATS and head.startswith(MAGIC):
        return inspect_matroska(head, size=size, formats=formats)
    return inspect_mp4(reader, head, formats=formats)
