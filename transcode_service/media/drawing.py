"""Draw poster and storyboard in the confined child, from keyframes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from pathlib import Path
from time import monotonic

import av
from av.container import InputContainer
from av.filter import Graph
from av.video.plane import VideoPlane
from av.video.stream import VideoStream

from transcode_service.media.colours import filters
from transcode_service.media.facts import VideoTrack
from transcode_service.media.opening import open_source, ready_pictures

MOST_TILES = 100
COLUMNS = 10
TILE_SIDE = 160
"""Pixels of a tile's longer side."""

POSTER_SIDE = 1280
_EVERY_SECONDS = 1.0  # between tiles of a short film
_DULL = 12.0  # of contrast, below which a picture says nothing
_CLOCK = 20.0  # seconds after which the tiles that there are must do
_LOOKING = 300  # pictures that are decoded when all keyframes are dull
_QUALITY = {"qmin": "3", "qmax": "3", "strict": "unofficial"}

_TURNS = {0: (), 90: ("transpose=cclock",), 180: ("hflip", "vflip"), 270: ("transpose=clock",)}
"""By the counterclockwise degrees that PyAV tells."""


@dataclass(frozen=True)
class Tile:
    """A small picture: its time in the film, and its three planes, tightly packed."""

    seconds: float
    planes: tuple[bytes, bytes, bytes]


def draw(
    path: Path, *, video: VideoTrack, duration_ms: int, max_pixels: int
) -> tuple[bytes, bytes, int, int, list[float]]:
    """Return poster and sprite as JPEG, a tile's width and height, and each tile's time."""
    small, large = _fit(video, TILE_SIDE), _fit(video, POSTER_SIDE)
    small_chain, large_chain = _Chain(video, *small), _Chain(video, *large)
    poster_encoder, sprite_encoder = _encoder(), _encoder()
    container, _ = open_source(path, max_pixels=max_pixels)
    with container:
        stream = ready_pictures(container, video.index, max_pixels=max_pixels)
        tiles: list[Tile] = []
        best: tuple[float, av.VideoFrame] | None = None
        for seconds, frame in _keyframes(container, stream, duration_ms / 1000):
            tile = Tile(seconds, small_chain.draw(frame))
            tiles.append(tile)
            worth = _worth(tile, duration_ms / 1000)
            if best is None or worth > best[0]:
                best = worth, frame
        if best is None or best[0] < _DULL:
            for seconds, frame in _in_order(container, stream):
                worth = _worth(Tile(seconds, small_chain.draw(frame)), duration_ms / 1000)
                if best is None or worth > best[0]:
                    best = worth, frame
        if best is None or not tiles:
            raise ValueError("no picture was decoded")
        poster = _jpeg(poster_encoder, large, large_chain.draw(best[1]))
    width, height = small
    sprite = _sprite(sprite_encoder, tiles, width, height)
    return poster, sprite, width, height, [tile.seconds for tile in tiles]


class _Chain:
    """Brings decoded pictures to a size, upright, in JPEG's colours; made before all is sealed."""

    def __init__(self, video: VideoTrack, width: int, height: int) -> None:
        self._like = (video.coded_width, video.coded_height, video.pixel_format)
        across, down = (height, width) if video.rotation % 180 else (width, height)
        self.width, self.height = width, height
        graph = Graph()
        last = graph.add_buffer(
            width=video.coded_width,
            height=video.coded_height,
            format=av.VideoFormat(video.pixel_format),
            time_base=Fraction(1),
        )
        steps = (*filters(video, across, down, jpeg=True), *_TURNS[video.rotation])
        for step in steps:
            name, _, arguments = step.partition("=")
            following = graph.add(name, arguments)
            last.link_to(following)
            last = following
        last.link_to(graph.add("buffersink"))
        graph.configure()
        self._graph = graph

    def fits(self, frame: av.VideoFrame) -> bool:
        """Tell whether a picture is like the others of its film."""
        return (frame.width, frame.height, frame.format.name) == self._like

    def draw(self, frame: av.VideoFrame) -> tuple[bytes, bytes, bytes]:
        """Return the planes of a picture."""
        self._graph.push(frame)
        drawn = self._graph.pull()
        assert isinstance(drawn, av.VideoFrame)  # noqa: S101 - the graph has no sound
        planes = []
        for plane, half in zip(_planes(drawn), (1, 2, 2), strict=True):
            data, across = bytes(plane), -(-self.width // half)
            rows = range(0, -(-self.height // half) * plane.line_size, plane.line_size)
            planes.append(b"".join(data[at : at + across] for at in rows))
        return planes[0], planes[1], planes[2]


def _planes(frame: av.VideoFrame) -> tuple[VideoPlane, ...]:
    return tuple(plane for plane in frame.planes if isinstance(plane, VideoPlane))


def _fit(video: VideoTrack, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(video.width, video.height))
    return max(2, round(video.width * scale / 2) * 2), max(2, round(video.height * scale / 2) * 2)


def _keyframes(
    container: InputContainer, stream: VideoStream, duration: float
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Yield keyframes spread over the film, each once, with their times in it."""
    base = float(stream.time_base or 1)
    begin = stream.start_time or 0
    every = max(_EVERY_SECONDS, duration / MOST_TILES)
    seen: set[int] = set()
    until = monotonic() + _CLOCK
    for number in range(max(1, min(MOST_TILES, int(duration / every)))):
        if monotonic() > until:
            return
        container.seek(begin + int(number * every / base), stream=stream)
        frame = _one(container, stream, seen)
        if frame is not None and frame.pts is not None:
            yield max(0.0, (frame.pts - begin) * base), frame


def _one(container: InputContainer, stream: VideoStream, seen: set[int]) -> av.VideoFrame | None:
    """Return the next keyframe, unless it was seen."""
    for number, packet in enumerate(container.demux(stream)):
        if number > 10 or packet.pts is None or packet.pts in seen:
            return None
        if not packet.is_keyframe:
            continue
        seen.add(packet.pts)
        try:
            frames = packet.decode() or stream.codec_context.decode(None)
        except av.FFmpegError:
            return None
        return frames[0] if frames else None
    return None


def _in_order(
    container: InputContainer, stream: VideoStream
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Yield some pictures from the beginning, for a film whose keyframes are all dull."""
    container.seek(stream.start_time or 0, stream=stream)
    until = monotonic() + _CLOCK
    try:
        for number, frame in enumerate(container.decode(stream)):
            if number > _LOOKING or monotonic() > until:
                return
            if number % 10 == 9:
                yield 0.0, frame
    except av.FFmpegError:
        return


def _worth(tile: Tile, duration: float) -> float:
    """Return how good a poster a picture makes: contrast and detail, neither dark nor glaring."""
    light = tile.planes[0][::3]
    mean = sum(light) / len(light)
    contrast = sqrt(sum((value - mean) ** 2 for value in light) / len(light))
    detail = sum(abs(a - b) for a, b in pairwise(light)) / len(light)
    shown = 1.0 if 40 <= mean <= 215 else 0.5
    early = 1.0 if 0.03 * duration <= tile.seconds <= 0.6 * duration else 0.8
    return (contrast + detail) * shown * early


def _sprite(
    encoder: "av.VideoCodecContext", tiles: Sequence[Tile], width: int, height: int
) -> bytes:
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // COLUMNS)
    planes = []
    for number, half in enumerate((1, 2, 2)):
        across, down = width // half, height // half
        pitch = across * columns
        plane = bytearray((b"\0" if number == 0 else b"\x80") * (pitch * down * rows))
        for place, tile in enumerate(tiles):
            at = place // COLUMNS * down * pitch + place % COLUMNS * across
            for row in range(down):
                line = tile.planes[number][row * across : (row + 1) * across]
                plane[at + row * pitch : at + row * pitch + across] = line
        planes.append(bytes(plane))
    return _jpeg(encoder, (width * columns, height * rows), (planes[0], planes[1], planes[2]))


def _encoder() -> "av.VideoCodecContext":
    encoder = av.VideoCodecContext.create("mjpeg", "w")
    encoder.options = dict(_QUALITY)
    encoder.thread_count = 1
    return encoder


def _jpeg(
    encoder: "av.VideoCodecContext", size: tuple[int, int], planes: tuple[bytes, bytes, bytes]
) -> bytes:
    frame = av.VideoFrame(*size, "yuvj420p")
    for plane, data, half in zip(_planes(frame), planes, (1, 2, 2), strict=True):
        across = size[0] // half
        padding = bytes(plane.line_size - across)
        rows = (data[at : at + across] + padding for at in range(0, len(data), across))
        plane.update(b"".join(rows).ljust(plane.buffer_size, b"\0")[: plane.buffer_size])
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuvj420p"
    encoder.time_base = Fraction(1)
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))
