"""The video that is uploaded and streamed: one second of video, then random bytes to be skipped.

It can be decoded, or the check job would reject it in the middle of a run.
"""

import os
import struct
import subprocess
from pathlib import Path

from transcode_service.media.sandbox import find_ffmpeg

_PIECE = 1 << 20
_SOURCE = "testsrc2=size=128x72:rate=10:duration=1"


def write_test_video(path: Path, size: int) -> None:
    """Write a valid MP4 of `size` bytes that cannot be compressed and has no holes."""
    command = [find_ffmpeg(), "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", _SOURCE]
    command += ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    subprocess.run([*command, f"file:{path}"], check=True)
    padding = size - path.stat().st_size
    with path.open("ab") as file:
        file.write(struct.pack(">I4sQ", 1, b"free", padding))
        left = padding - 16
        while left > 0:
            left -= file.write(os.urandom(min(left, _PIECE)))
        file.flush()
        os.fsync(file.fileno())
