"""Read all packets of a file: counts, start and end of each track, and whether it is whole."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from common.translation import gettext_noop
from transcode_service.media.source_info import UnplayableSource

_LONGEST_PACKET = 10.0  # seconds; longer durations of one packet are taken for wrong
_MISSING_SHARE = 0.02
_MISSING_SECONDS = 0.5


@dataclass
class TrackScan:
    """What the packets of one track say, in seconds of its own clock."""

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

    @property
    def bit_rate(self) -> int:
        """Bits a second on average."""
        return round(self.bytes * 8 / max(self.end - self.first, 0.001))

    def take(self, packet: "Packet[Stream]") -> None:
        """Count a packet in."""
        at = packet.dts if packet.pts is None else packet.pts
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


def scan_packets(
    container: InputContainer, video: VideoStream, audio: Sequence[AudioStream], *, max_seconds: int
) -> dict[int, TrackScan]:
    """Return the scans by the index of their track, without tracks that have no packet.

    :raises UnplayableSource: the file is truncated, damaged, empty or too long.
    """
    scans = {stream.index: TrackScan(float(stream.time_base or 1)) for stream in (video, *audio)}
    try:
        for packet in container.demux(video, *audio):
            scans[packet.stream_index].take(packet)
    except av.FFmpegError as error:
        raise _truncated() from error
    frames = scans[video.index]
    if not frames.count:
        raise UnplayableSource(gettext_noop("This file has no frames. Choose one that has."))
    if frames.keyframe is not None:
        frames.keyframe_gap = max(frames.keyframe_gap, frames.end - frames.keyframe)
    if frames.end - frames.first > max_seconds:
        raise UnplayableSource(gettext_noop("This video is too long. Upload a shorter one."))
    for stream in (video, *audio):
        scan = scans[stream.index]
        if scan.corrupt:
            raise _truncated()
        if stream.duration is not None and stream.time_base is not None:  # an MP4's sample table
            _check_length(float(stream.duration * stream.time_base), [scan])
    if video.duration is None and container.duration is not None:
        _check_length(container.duration / av.time_base, scans.values())
    return {index: scan for index, scan in scans.items() if scan.count}


def _truncated() -> UnplayableSource:
    return UnplayableSource(
        gettext_noop(
            "This file is cut short: a part of it is missing. Get a whole copy and upload it again."
        )
    )


def _check_length(expected: float, scans: Collection[TrackScan]) -> None:
    """Compare a duration with that of the packets: of one track, or for Matroska of any."""
    counted = [scan for scan in scans if scan.count]
    lasted = max(w.end for w in counted) - min(w.first for w in counted) if counted else 0.0
    if not counted or lasted < expected * (1 - _MISSING_SHARE) - _MISSING_SECONDS:
        raise _truncated()
