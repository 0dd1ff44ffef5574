"""What is known of a source, what its processing may take, and how it can end."""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

Report = Callable[[float], None]
"""Takes how much of a step is done, 0 to 1. What it raises ends the step and its processes."""


class Refused(Exception):
    """The file can never be played here; `sentence` says why, to the person who uploaded it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class MediaFailed(Exception):
    """A step did not succeed, and may when it is tried again.

    :ivar sentence: for people.
    :ivar detail: the program's last lines, for administrators.
    """

    def __init__(self, sentence: str, detail: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail


class DiskFull(MediaFailed):
    """There was no room for what a step writes."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("The disk is full. Processing goes on when there is room.", detail)


@dataclass(frozen=True)
class MediaLimits:
    """What one step may take, however hostile the file.

    :ivar ffmpeg: the program; found by :func:`transcode_service.media.sandbox.find_ffmpeg`.
    :ivar formats: what may come in: see `common.formats`. Matroska is refused here once more; what
        else it leaves out, when an upload ends.
    :ivar memory: bytes of address space.
    :ivar threads: of one encoder or decoder.
    :ivar max_pixels: of one picture.
    :ivar max_seconds: of the film, as measured.
    :ivar patience: seconds by the clock for a step, besides `pace` seconds for each of the film.
    """

    ffmpeg: str = ""
    formats: frozenset[str] = frozenset({"mp4"})
    memory: int = 4 << 30
    threads: int = field(default_factory=lambda: min(os.cpu_count() or 1, 16))
    max_pixels: int = 1 << 26
    max_seconds: int = 48 * 3600
    patience: int = 300
    pace: int = 60

    def wall(self, duration_ms: int) -> float:
        """Return the seconds that a step over a film may take by the clock."""
        return self.patience + self.pace * duration_ms / 1000


@dataclass(frozen=True)
class VideoTrack:
    """The pictures, as measured.

    :ivar index: of the stream in the file.
    :ivar width: in pixels as shown: after rotation, with square pixels.
    :ivar height: likewise.
    :ivar coded_width: as the decoder gives them.
    :ivar coded_height: likewise.
    :ivar codec: ffmpeg's name, such as "h264".
    :ivar pixel_format: ffmpeg's name, such as "yuv420p".
    :ivar frame_rate: frames a second on average.
    :ivar rotation: degrees, a multiple of 90.
    :ivar hdr: the transfer function: "pq", "hlg" or empty.
    :ivar matrix: of its colours: "bt709", "bt601" or "bt2020".
    :ivar full_range: black is 0 and white 255, rather than 16 and 235.
    :ivar keyframe_ms: the longest distance between two keyframes.
    :ivar self_contained: no picture needs one from before the keyframe that precedes it.
    :ivar start_ms: of the first picture, from the beginning of the film.
    :ivar trimmed: pictures before the beginning are needed to decode, and not shown.
    :ivar bit_rate: bits a second on average.
    """

    index: int
    width: int
    height: int
    coded_width: int
    coded_height: int
    codec: str
    pixel_format: str
    frame_rate: float
    frames: int
    rotation: int
    hdr: str
    matrix: str
    full_range: bool
    interlaced: bool
    keyframe_ms: int
    self_contained: bool
    start_ms: int
    end_ms: int
    trimmed: bool
    bit_rate: int

    @property
    def side(self) -> int:
        """The shorter side, by which a size is called (720 in 720p)."""
        return min(self.width, self.height)


@dataclass(frozen=True)
class AudioTrack:
    """A sound track, as measured.

    :ivar codec: ffmpeg's name, such as "aac"; `profile` likewise, such as "LC".
    :ivar language: a tag of BCP 47, or None.
    :ivar start_ms: of the first sound, from the beginning of the film.
    """

    index: int
    codec: str
    profile: str
    channels: int
    sample_rate: int
    language: str | None
    title: str | None
    default: bool
    start_ms: int
    end_ms: int
    bit_rate: int


@dataclass(frozen=True)
class SourceFacts:
    """A source, as measured; never as its header says.

    :ivar container: ffmpeg's name of the demuxer: "mov" (MP4 too) or "matroska" (WebM too).
    :ivar size: bytes of the file.
    """

    container: str
    duration_ms: int
    size: int
    video: VideoTrack
    audio: tuple[AudioTrack, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the facts as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "SourceFacts":
        """Return the facts that :meth:`to_json` made plain."""
        return cls(
            container=plain["container"],
            duration_ms=plain["duration_ms"],
            size=plain["size"],
            video=VideoTrack(**plain["video"]),
            audio=tuple(AudioTrack(**track) for track in plain["audio"]),
        )


@dataclass(frozen=True)
class MadeRendition:
    """A rendition that lies ready in the attempt folder, with the values of its row.

    :ivar files: names in the folder, all to be published under `hls/`, the playlist last.
    """

    name: str
    kind: str
    codecs: str
    bandwidth: int
    average_bandwidth: int
    size: int
    width: int | None
    height: int | None
    frame_rate: float | None
    language: str | None
    title: str | None
    files: tuple[str, ...]


@dataclass(frozen=True)
class Pictures:
    """Pictures that lie ready in the attempt folder: names there and beside the original."""

    files: tuple[str, ...]
