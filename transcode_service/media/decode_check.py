"""Decode samples of a video, and reject it when they do not decode."""

from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from common.translation import gettext_noop
from transcode_service.media.open_container import open_source, video_decoder
from transcode_service.media.source_info import UnplayableSource

KEYFRAMES = 32  # how many keyframes are decoded, spread over the video
END_SECONDS = 2  # how much of the start and of the end is decoded frame by frame
_MAX_PACKETS = 240  # of the start and of the end: slow motion has many a second
_DAMAGED_SHARE = 0.05


def check_decoding(path: Path, *, max_pixels: int, index: int) -> None:
    """Decode the start, the end and keyframes between, and count the errors.

    Encoding decodes the whole video later; this check answers while the uploader waits.

    :param index: of the video track.
    :raises UnplayableSource: more than a small share of it is damaged.
    """
    container, _ = open_source(path, max_pixels=max_pixels)
    with container:
        video = video_decoder(container, index, max_pixels=max_pixels, strict=True)
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
        raise UnplayableSource(
            gettext_noop(
                "The frames of this video are damaged and cannot be decoded. "
                "Get a good copy and upload it again."
            )
        )


def _decode(
    container: InputContainer, video: VideoStream, at: int, *, packets: int = _MAX_PACKETS
) -> tuple[int, int]:
    """Return how many frames decode, and how many packets do not, from the keyframe before."""
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
