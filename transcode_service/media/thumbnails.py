"""Draw the poster and the storyboard's sprite in the confined child, from keyframes."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

import av
from av.container import InputContainer
from av.filter import Graph
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from PIL import Image, ImageChops, ImageStat

from transcode_service.media.open_container import open_source, video_decoder
from transcode_service.media.source_info import VideoTrack
from transcode_service.media.storyboard import COLUMNS
from transcode_service.media.tone_mapping import CUBE

MAX_THUMBNAILS = 100
THUMBNAIL_SIDE = 160  # pixels of a thumbnail's longer side
POSTER_SIDE = 1280
_INTERVAL = 1.0  # seconds, at least, between thumbnails
_LOW_SCORE = 12.0  # below this a frame shows nothing worth a poster
_TIME_LIMIT = 20.0  # seconds after which the thumbnails made so far have to do
_MAX_FRAMES = 300  # that are decoded when all keyframes have a low score
_JPEG_QUALITY = 75

_COLORSPACES = {"bt709": Colorspace.ITU709, "bt601": Colorspace.ITU601, "bt2020": Colorspace.BT2020}
# By counterclockwise degrees, as PyAV gives them and Pillow takes them.
_ROTATIONS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}


def draw(
    path: Path,
    poster: BinaryIO,
    sprite: BinaryIO,
    *,
    video: VideoTrack,
    duration_ms: int,
    max_pixels: int,
) -> dict[str, Any]:
    """Draw the thumbnails, and choose the frame with the highest score for the poster.

    :param poster: open for writing a JPEG, as is `sprite`.
    :return: `width` and `height` of a thumbnail, and the `times` of all in seconds.
    :raises ValueError: no frame could be decoded.
    """
    Image.preinit()  # loads the JPEG encoder; after the file is open no other can be opened
    small, large = _Scaler(video, THUMBNAIL_SIDE), _Scaler(video, POSTER_SIDE)
    duration = duration_ms / 1000
    container, _ = open_source(path, max_pixels=max_pixels)
    with container:
        stream = video_decoder(container, video.index, max_pixels=max_pixels)
        times: list[float] = []
        images: list[Image.Image] = []
        best, best_score = None, -1.0
        for seconds, frame in _keyframes(container, stream, duration):
            times.append(seconds)
            images.append(small.draw(frame))
            score = _score(images[-1], seconds, duration)
            if score > best_score:
                best, best_score = frame, score
        if best_score < _LOW_SCORE:
            for frame in _first_frames(container, stream):
                score = _score(small.draw(frame), 0.0, duration)
                if score > best_score:
                    best, best_score = frame, score
        if best is None or not images:
            raise ValueError("no frame was decoded")
        poster.write(jpeg(large.draw(best)))
    sprite.write(jpeg(_sprite(images)))
    width, height = images[0].size
    return {"width": width, "height": height, "times": times}


def draw_poster(
    path: Path, poster: BinaryIO, *, video: VideoTrack, at_ms: int, max_pixels: int
) -> None:
    """Draw the frame at a moment, or the last one before it that can be decoded.

    :param poster: open for writing a JPEG.
    :raises ValueError: no frame could be decoded.
    """
    Image.preinit()
    large = _Scaler(video, POSTER_SIDE)
    container, _ = open_source(path, max_pixels=max_pixels)
    with container:
        stream = video_decoder(container, video.index, max_pixels=max_pixels)
        base = float(stream.time_base or 1)
        wanted = (stream.start_time or 0) + int(at_ms / 1000 / base)
        container.seek(wanted, stream=stream)
        until = monotonic() + _TIME_LIMIT
        found = None
        try:
            for frame in container.decode(stream):
                found = frame
                if monotonic() > until or (frame.pts is not None and frame.pts >= wanted):
                    break
        except av.FFmpegError:
            if found is None:
                raise
        if found is None:
            raise ValueError("no frame was decoded")
        poster.write(jpeg(large.draw(found)))


class _Scaler:
    """Scales decoded frames to one size, upright, in sRGB.

    Frames of one video may differ in size and format. HDR is scaled before it is mapped, so that
    the filter, which cannot be made anew once no file may be opened, gets frames of one size.
    """

    def __init__(self, video: VideoTrack, side: int) -> None:
        scale = min(1.0, side / max(video.width, video.height))
        width = max(2, round(video.width * scale / 2) * 2)
        height = max(2, round(video.height * scale / 2) * 2)
        self._size = (height, width) if video.rotation % 180 else (width, height)
        self._video = video
        self._reformatter = VideoReformatter()
        self._tone_mapping = _tone_mapping(*self._size) if video.hdr else None

    def draw(self, frame: av.VideoFrame) -> Image.Image:
        """Return a frame as an image."""
        scaled = self._reformatter.reformat(
            frame,
            *self._size,
            format="rgb24" if self._tone_mapping is None else "gbrp10le",
            interpolation=Interpolation.BICUBIC,
            src_colorspace=_COLORSPACES[self._video.matrix],
            src_color_range=ColorRange.JPEG if self._video.full_range else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )
        if self._tone_mapping is not None:
            self._tone_mapping.push(scaled)
            mapped = self._tone_mapping.pull()
            assert isinstance(mapped, av.VideoFrame)  # noqa: S101 - the graph has no audio
            scaled = mapped
        image: Image.Image = scaled.to_image()  # type: ignore[no-untyped-call]
        rotation = _ROTATIONS.get(self._video.rotation)
        return image if rotation is None else image.transpose(rotation)


def _tone_mapping(width: int, height: int) -> Graph:
    """Return the filter that maps HDR to SDR by the table in the working folder."""
    graph = Graph()
    source = graph.add_buffer(
        width=width, height=height, format=av.VideoFormat("gbrp10le"), time_base=Fraction(1)
    )
    table = graph.add("lut3d", f"file={CUBE}:interp=tetrahedral")
    output = graph.add("format", "rgb24")
    graph.link_nodes(source, table, output, graph.add("buffersink")).configure()
    return graph


def _keyframes(
    container: InputContainer, stream: VideoStream, duration: float
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Yield keyframes spread over the video, each once, with their times in it."""
    base = float(stream.time_base or 1)
    begin = stream.start_time or 0
    interval = max(_INTERVAL, duration / MAX_THUMBNAILS)
    seen: set[int] = set()
    until = monotonic() + _TIME_LIMIT
    for number in range(max(1, min(MAX_THUMBNAILS, int(duration / interval)))):
        if monotonic() > until:
            return
        container.seek(begin + int(number * interval / base), stream=stream)
        frame = _next_keyframe(container, stream, seen)
        if frame is not None and frame.pts is not None:
            yield max(0.0, (frame.pts - begin) * base), frame


def _next_keyframe(
    container: InputContainer, stream: VideoStream, seen: set[int]
) -> av.VideoFrame | None:
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


def _first_frames(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """Yield every tenth of the first frames, for a video whose keyframes all have a low score."""
    container.seek(stream.start_time or 0, stream=stream)
    until = monotonic() + _TIME_LIMIT
    try:
        for number, frame in enumerate(container.decode(stream)):
            if number > _MAX_FRAMES or monotonic() > until:
                return
            if number % 10 == 9:
                yield frame
    except av.FFmpegError:
        return


def _score(image: Image.Image, seconds: float, duration: float) -> float:
    """Return how good a poster an image makes: contrast and detail, neither dark nor glaring."""
    grey = image.convert("L")
    light = ImageStat.Stat(grey)
    width, height = grey.size
    step = min(3, width - 1)  # pixels between neighbours that are compared
    neighbours = grey.crop((step, 0, width, height)), grey.crop((0, 0, width - step, height))
    detail = ImageStat.Stat(ImageChops.difference(*neighbours)).mean[0]
    exposure = 1.0 if 40 <= light.mean[0] <= 215 else 0.5
    position = 1.0 if 0.03 * duration <= seconds <= 0.6 * duration else 0.8
    return (light.stddev[0] + detail) * exposure * position


def _sprite(images: Sequence[Image.Image]) -> Image.Image:
    width, height = images[0].size
    columns, rows = min(COLUMNS, len(images)), -(-len(images) // COLUMNS)
    sprite = Image.new("RGB", (width * columns, height * rows))
    for number, image in enumerate(images):
        row, column = divmod(number, COLUMNS)
        sprite.paste(image, (column * width, row * height))
    return sprite


def jpeg(image: Image.Image) -> bytes:
    """Return an image as a JPEG."""
    # Pillow takes a part of a file for the whole when the disk is full.
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY, optimize=True, progressive=True)
    return buffer.getvalue()
