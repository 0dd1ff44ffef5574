"""The file that is sent and uploaded: a small MP4, and after it random bytes that players skip."""

import os
import struct
from pathlib import Path

from tests.media import mp4

_PIECE = 1 << 20


def write_film(path: Path, size: int) -> None:
    """Write a file of so many bytes that is a valid MP4 and cannot be compressed or sparse."""
    head = mp4()
    rest = size - len(head)
    with path.open("wb") as file:
        file.write(head)
        file.write(struct.pack(">I4sQ", 1, b"free", rest))
        left = rest - 16
        while left > 0:
            left -= file.write(os.urandom(min(left, _PIECE)))
        file.flush()
        os.fsync(file.fileno())
