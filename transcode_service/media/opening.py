"""Open a file in the confined child, and nothing else for ever after."""

from pathlib import Path

import av
from av.container import InputContainer

from transcode_service.media.confine import seal
from transcode_service.media.facts import Refused
from transcode_service.media.sandbox import DECODERS, DEMUXERS

_MATROSKA = b"\x1aE\xdf\xa3"


def open_source(path: Path, *, max_pixels: int) -> tuple[InputContainer, str]:
    """Open a file with its format forced; return it with the name of its demuxer.

    :raises Refused: it cannot be opened as what it looks like.
    """
    with path.open("rb") as file:
        name = "matroska" if file.read(len(_MATROSKA)) == _MATROSKA else "mov"
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
    except av.FFmpegError as error:
        raise Refused("This file is damaged: it cannot be opened. Upload a whole copy.") from error
    seal()
    return container, name
