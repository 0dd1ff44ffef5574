"""Decide whether a finished upload is a film of a kind that may come in, and read its facts."""

from typing import BinaryIO

from common.formats import DEFAULT
from upload_service import mp4
from upload_service.matroska import MAGIC, inspect_matroska
from upload_service.mp4 import VideoFacts

_MATROSKA = frozenset({"mkv", "webm"})


def inspect(file: BinaryIO, *, size: int, formats: frozenset[str] = DEFAULT) -> VideoFacts:
    """Check that a file is a film that can be played, or converted, and read its facts.

    :param file: open for reading and able to seek; left at any position.
    :param size: its size in bytes.
    :param formats: what may come in: see `common.formats`.
    :raises NotAVideo: it is not, with a sentence that says what is wrong.
    :raises OSError: the file cannot be read.
    """
    file.seek(0)
    if formats & _MATROSKA and file.read(len(MAGIC)) == MAGIC:
        return inspect_matroska(file, size=size, formats=formats)
    return mp4.inspect(file, size=size, formats=formats)
