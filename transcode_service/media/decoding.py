"""Decode a sample of a film, and refuse one that does not decode."""

from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from transcode_service.media.facts import Refused
from transcode_service.media.opening import open_source, ready_pictures

KEYFRAMES = 32
"""How many keyframes are decoded, spread over the film."""

END_SECONDS = 2
"""How much of the beginning and of the end is decoded picture by picture."""

_MOST_PACKETS = 240  # of one end: slow motion has many a second
_DAMAGED_SHARE = 0.05


def check_decoding(path: Path, *, max_pixels: int, index: int) -> None:
    """Decode the beginning, the end and keyframes between, noticing every error.

    The whole film is decoded by whoever encodes it; this is for the seconds in which somebody waits
    for the answer.

    :param index: of the pictures' track.
    :raises Refused: more than a small share of it is damaged.
    """
    container, _ = open_source(path, max_pixels=max_pixels)
    with container:
        video = ready_pictures(container, index, max_pixels=max_pixels, strict=True)
        begin = video.start_time or 0
        end = begin + (video.duration or _ticks(video, (container.duration or 0) / av.time_base))
        tail = max(end - _ticks(video, END_SECONDS), begin)
        _judge([_decode(container, video, begin), _decode(container, video, tail)])
        spread = [begin + (end - begin) * n // KEYFRAMES for n in range(1, KEYFRAMES)]
        _judge([_decode(container, video, at, packets=1) for at in spread])


def _ticks(video: VideoStream, seconds: float) -> int:
    return int(seconds / video.time_base) if video.time_base else 0


def _judge(counts: list[tuple[int, int]]) -> None:
    good, bad = sum(count[0] for count in counts), sum(count[1] for count in counts)
    if not good or bad > max(1, (good + bad) * _DAMAGED_SHARE):
        raise Refused(
            "The pictures of this file are damaged and cannot be decoded. "
            "Get a good copy and upload it again."
        )


def _decode(
    container: InputContainer, video: VideoStream, at: int, *, packets: int = _MOST_PACKETS
) -> tuple[int, int]:
    """Return how many pictures decode, and how many packets do not, from the keyframe before."""
    container.seek(at, stream=video)
    good = bad = 0
    until = at + _ticks(video, END_SECONDS)
    for number, packet in enumerate(container.demux(video)):
        last = number + 1 >= packets or (packet.pts is not None and packet.pts > until)
        try:
            good += len(packet.decode())
            if last and packet.size:
                good += len(video.codec_context.decode(None))
        except av.FFmpegError:
            bad += 1
        if last:
            break
    return good, bad
