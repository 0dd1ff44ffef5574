"""What is known of a source, the limits of its processing, and how a step can fail."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from common.translation import gettext_noop

Report = Callable[[float], None]
"""Takes how much of a step is done, 0 to 1. An exception from it ends the step's processes."""


class UnplayableSource(Exception):
    """The file can never be played here. The sentence is for the person who uploaded it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class MediaFailed(Exception):
    """A step did not succeed, and may when it is tried again, unless that `is_final`.

    :ivar sentence: shown to people, as is the end of `detail`, the program's last lines.
    """

    def __init__(self, sentence: str, detail: str = "", *, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail
        self.is_final = is_final


class DiskFull(MediaFailed):
    """There was no space for what a step writes."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            gettext_noop("The disk is full. Processing continues when there is space."), detail
        )


@dataclass(frozen=True)
class SandboxLimits:
    """The limits of one step, however hostile the file.

    :ivar ffmpeg: the program; found by :func:`transcode_service.media.sandbox.find_ffmpeg`.
    :ivar formats: which formats are accepted: see `common.formats`. Only Matroska is checked here;
        the upload service checks the others.
    :ivar memory: bytes of address space.
    :ivar threads: of one encoder or decoder.
    :ivar max_pixels: of one frame.
    :ivar max_seconds: the longest duration, as measured.
    :ivar reserve: bytes that stay free on the volume.
    :ivar base_seconds: wall-clock seconds for a step, plus `seconds_per_second` for each second of
        the video.
    """

    ffmpeg: str = ""
    formats: frozenset[str] = frozenset({"mp4"})
    memory: int = 4 << 30
    threads: int = field(default_factory=lambda: min(os.cpu_count() or 1, 16))
    max_pixels: int = 1 << 26
    max_seconds: int = 48 * 3600
    reserve: int = 0
    base_seconds: int = 300
    seconds_per_second: int = 60


@dataclass(frozen=True)
class VideoTrack:
    """The video track, as measured.

    :ivar index: of the stream in the file.
    :ivar width: in pixels as displayed, as is `height`: after rotation, with square pixels.
    :ivar coded_width: as the decoder gives it, as is `coded_height`.
    :ivar codec: ffmpeg's name, such as "h264".
    :ivar pixel_format: ffmpeg's name, such as "yuv420p".
    :ivar frame_rate: frames a second on average.
    :ivar rotation: counterclockwise degrees, a multiple of 90.
    :ivar hdr: the transfer function: "pq", "hlg" or empty.
    :ivar matrix: of its colours: "bt709", "bt601" or "bt2020".
    :ivar full_range: black is 0 and white 255, rather than 16 and 235.
    :ivar keyframe_ms: the longest distance between two keyframes.
    :ivar self_contained: no frame refers to one from before the keyframe that precedes it.
    :ivar start_ms: of the first frame, from the start of the video.
    :ivar trimmed: frames before the start are needed to decode, and not displayed.
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
    rotation: int
    hdr: str
    matrix: str
    full_range: bool
    interlaced: bool
    keyframe_ms: int
    self_contained: bool
    start_ms: int
    trimmed: bool
    bit_rate: int

    @property
    def side(self) -> int:
        """The shorter side, by which a size is named (720 in 720p)."""
        return min(self.width, self.height)


@dataclass(frozen=True)
class AudioTrack:
    """An audio track, as measured.

    :ivar codec: ffmpeg's name, such as "aac"; `profile` likewise, such as "LC".
    :ivar language: a tag of BCP 47, or None.
    :ivar start_ms: of the first sample, from the start of the video.
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
    bit_rate: int


@dataclass(frozen=True)
class SourceInfo:
    """A source, as measured; never as its header says.

    :ivar container: ffmpeg's name of the demuxer: "mov" (MP4 too) or "matroska" (WebM too).
    :ivar size: bytes of the file.
    """

    container: str
    duration_ms: int
    size: int
    video: VideoTrack
    audio: tuple[AudioTrack, ...]

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "SourceInfo":
        """Return the object of which `asdict` and JSON made this.

        :raises KeyError, TypeError: another version wrote it.
        """
        return cls(
            container=plain["container"],
            duration_ms=plain["duration_ms"],
            size=plain["size"],
            video=VideoTrack(**plain["video"]),
            audio=tuple(AudioTrack(**track) for track in plain["audio"]),
        )


@dataclass(frozen=True)
class RenditionInfo:
    """A rendition: the values of its row in the database, as measured on its file.

    :ivar kind: "video" or "audio".
    :ivar codecs: RFC 6381.
    :ivar bandwidth: the peak in bits a second (RFC 8216, 4.3.4.2).
    :ivar size: bytes.
    """

    name: str
    kind: str
    codecs: str
    bandwidth: int
    average_bandwidth: int
    size: int
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    language: str | None = None
    title: str | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Names of its files, all to be published under `hls/`, the playlist last."""
        keyframes = (f"{self.name}-iframes.m3u8",) if self.kind == "video" else ()
        return (f"{self.name}.mp4", *keyframes, f"{self.name}.m3u8")

    @classmethod
    def of(cls, row: object) -> "RenditionInfo":
        """Return the values of a row that has columns of these names."""
        return cls(**{column.name: getattr(row, column.name) for column in fields(cls)})
