"""The file that is sent and uploaded: a second of film, and after it random bytes to be skipped.

The film is a real one, or the worker that checks it would take it down in the middle of a run.
"""

import os
import struct
from pathlib import Path

from tests import media

_PIECE = 1 << 20


def write_film(path: Path, size: int) -> None:
    """Write a file of so many bytes that is a valid MP4 and cannot be compressed or sparse."""
    head = media.make(path.parent, "tiny.mp4").read_bytes()
    rest = size - len(head)
    with path.open("wb") as file:
        file.write(head)
        file.write(struct.pack(">I4sQ", 1, b"free", rest))
        left = rest - 16
        while left > 0:
            left -= file.write(os.urandom(min(left, _PIECE)))
        file.flush()
        os.fsync(file.fileno())
