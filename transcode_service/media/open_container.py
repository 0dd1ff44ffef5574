"""Open a file in the confined child, then make it impossible to open any other."""

import errno
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from common.translation import gettext_noop
from transcode_service.media.confine import seal
from transcode_service.media.sandbox import DECODERS, DEMUXERS
from transcode_service.media.source_info import UnplayableSource

_MATROSKA = b"\x1aE\xdf\xa3"
_HEAD = 1 << 20  # bytes that libav reads of a file before its packets


def open_source(path: Path, *, max_pixels: int) -> tuple[InputContainer, str]:
    """Open a file with its format forced; return it with the name of its demuxer.

    :raises UnplayableSource: it cannot be opened as what it looks like.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)  # raises what libav would take for damage: trouble of the disk
    name = "matroska" if head.startswith(_MATROSKA) else "mov"
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": DEMUXERS[name],
        "codec_whitelist": DECODERS,
        "max_pixels": str(max_pixels),
        "probesize": "5000000",
        "analyzeduration": "5000000",
    }
    try:
        container = av.open(f"file:{path}", "r", format=name, options=options)
        container.seek(0)  # a file that has lost its index cannot be sought in: "not permitted"
    except av.FFmpegError as error:
        # A Matroska file that ends within its header is an input error for libav; one that cannot
        # be sought in is an operation that is not permitted. Others are trouble of the machine.
        if isinstance(error, OSError) and error.errno not in (errno.EIO, errno.EPERM):
            raise
        raise UnplayableSource(
            gettext_noop("This file is damaged: it cannot be opened. Upload a whole copy.")
        ) from error
    seal()
    return container, name


def is_decodable(stream: Stream) -> bool:
    """Tell whether a track's decoder may run; the library opens any that it has."""
    context = getattr(stream, "codec_context", None)
    return context is not None and context.codec.name in DECODERS.split(",")


def video_decoder(
    container: InputContainer, index: int, *, max_pixels: int, strict: bool = False
) -> VideoStream:
    """Return a video track, ready to be decoded by one thread.

    :param strict: an error in a frame is an exception, rather than concealed.
    :raises UnplayableSource: its decoder may not run.
    """
    stream = container.streams[index]
    if not isinstance(stream, VideoStream) or not is_decodable(stream):
        raise UnplayableSource(
            gettext_noop(
                "The video codec of this file cannot be played here. "
                "Convert it to H.264 in an MP4 file and upload it again."
            )
        )
    context = stream.codec_context
    context.thread_count = 1
    context.options = {"max_pixels": str(max_pixels)}
    if strict:
        context.options = {**context.options, "err_detect": "explode"}
    return stream
