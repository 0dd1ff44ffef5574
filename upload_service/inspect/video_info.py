"""What is recorded of a video when its upload ends, and the limits of what is accepted."""

from dataclasses import dataclass

MAX_SIDE = 16_384  # pixels
MAX_PIXELS = 1 << 26
"""8192 x 8192: the largest level of H.264 and HEVC is 8192 x 4352, of AV1 16384 x 8704."""

MAX_HOURS = 48

MAX_FRAME_RATE = 500  # frames per second, on average: slow-motion cameras record 240


@dataclass(frozen=True)
class VideoInfo:
    """What inspection reads from a file. What is None the `check` job measures later.

    :ivar container: `mp4`, `mov`, `mkv` or `webm`.
    :ivar playable: whether most browsers play the file as it is.
    :ivar duration_ms: measured from the samples, at least 1.
    :ivar width: of the displayed frame, as is `height`: after rotation, with square pixels.
    :ivar video_codec: RFC 6381, such as `avc1.64001f`.
    :ivar audio_codec: likewise, such as `mp4a.40.2`; also None for a video without audio.
    """

    container: str
    playable: bool
    duration_ms: int | None = None
    width: int | None = None
    height: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
