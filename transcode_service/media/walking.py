"""Walk all packets of a file: what is there, when it begins and ends, and whether it is whole."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from transcode_service.media.facts import Refused

_LONGEST_PACKET = 10.0  # seconds: a single duration beyond that is not believed
_MISSING_SHARE = 0.02
_MISSING_SECONDS = 0.5


@dataclass
class Walk:
    """What the packets of one track told, in seconds of its own clock."""

    time_base: float
    count: int = 0
    bytes: int = 0
    corrupt: int = 0
    first: float = float("inf")
    last: float = float("-inf")
    end: float = float("-inf")
    keyframe: float | None = None
    keyframe_gap: float = 0.0
    self_contained: bool = True
    trimmed: bool = False

    @property
    def rate(self) -> float:
        """Packets a second on average."""
        span = self.last - self.first
        return (self.count - 1) / span if self.count > 1 and span > 0 else 1.0

    def take(self, packet: "Packet[Stream]") -> None:
        """Count a packet in."""
        at = packet.pts
        if at is None:
            at = packet.dts
            if at is None:
                return
        time = at * self.time_base
        self.bytes += packet.size
        if packet.is_corrupt:
            self.corrupt += 1
        if packet.is_keyframe:
            if self.keyframe is not None:
                self.keyframe_gap = max(self.keyframe_gap, time - self.keyframe)
            self.keyframe = time
        elif self.keyframe is None or time < self.keyframe:
            self.self_contained = False
        if packet.is_discard:
            self.trimmed = True
            return
        self.count += 1
        self.first = min(self.first, time)
        self.last = max(self.last, time)
        end = time + min(max((packet.duration or 0) * self.time_base, 0.0), _LONGEST_PACKET)
        self.end = max(self.end, end)


def walk_packets(
    container: InputContainer,
    video: VideoStream,
    sounds: Sequence[AudioStream],
    *,
    max_seconds: int,
) -> dict[int, Walk]:
    """Return what the packets told, by the index of their track; tracks without one are left out.

    :raises Refused: it is cut short, damaged, empty or too long.
    """
    walks = {stream.index: Walk(float(stream.time_base or 1)) for stream in (video, *sounds)}
    _check_index(container, (video, *sounds))
    try:
        for packet in container.demux(video, *sounds):
            walks[packet.stream_index].take(packet)
    except av.FFmpegError as error:
        raise cut_short() from error
    pictures = walks[video.index]
    if not pictures.count:
        raise Refused("This file has no pictures. Choose one that has.")
    if pictures.keyframe is not None:
        pictures.keyframe_gap = max(pictures.keyframe_gap, pictures.end - pictures.keyframe)
    if pictures.end - pictures.first > max_seconds:
        raise Refused(
            f"This film is longer than {max_seconds // 3600} hours. Upload a shorter one."
        )
    for stream in (video, *sounds):
        _check_whole(stream, walks[stream.index])
    if video.duration is None and container.duration is not None:
        _check_length(container.duration / av.time_base, walks.values())
    return {index: walk for index, walk in walks.items() if walk.count}


def cut_short() -> Refused:
    """Say that bytes are missing."""
    return Refused(
        "This file is cut short: a part of it is missing. Get a whole copy and upload it again."
    )


def _check_index(container: InputContainer, streams: Sequence[VideoStream | AudioStream]) -> None:
    """The index of an MP4 says where each sample is, whatever can be read of it."""
    size = container.size
    for stream in streams:
        for entry in stream.index_entries:
            if entry.pos + entry.size > size:
                raise cut_short()


def _check_whole(stream: Stream, walk: Walk) -> None:
    """Compare what came with what the sample table of an MP4 promised."""
    if walk.corrupt:
        raise cut_short()
    if stream.duration is not None and stream.time_base is not None:
        _check_length(float(stream.duration * stream.time_base), [walk])


def _check_length(promised: float, walks: Collection[Walk]) -> None:
    """Compare seconds promised with those that came, on one track or, for Matroska, on any."""
    counted = [walk for walk in walks if walk.count]
    lasted = max(w.end for w in counted) - min(w.first for w in counted) if counted else 0.0
    if not counted or lasted < promised * (1 - _MISSING_SHARE) - _MISSING_SECONDS:
        raise cut_short()
