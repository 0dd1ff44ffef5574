"""The child that looks into a file: `python -m transcode_service.media.probe LIMITS WORK FILE`.

It runs confined, opens the one file, gives up opening anything else, and prints one line of JSON:
`{"facts": ...}`, `{"checked": ...}` or `{"refused": sentence}`. Headers are not believed: all
packets are walked, and sizes are those of a decoded picture.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from transcode_service.media.confine import confine
from transcode_service.media.decoding import check_decoding
from transcode_service.media.drawing import draw
from transcode_service.media.facts import Refused, VideoTrack
from transcode_service.media.opening import is_decodable, open_source, ready_pictures
from transcode_service.media.walking import Walk, walk_packets

_HDR = {16: "pq", 18: "hlg"}
"""Transfer characteristics of ISO/IEC 23091-2, table 3."""

_MATRICES = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
"""Matrix coefficients, ibid., table 4; what says nothing is guessed by size, as players do."""

_FULL = 2

_LANGUAGE_LETTERS = 3
_TITLE_LIMIT = 64
_MOST_TRACKS = 16


def choose_video(container: InputContainer) -> VideoStream:
    """Return the film's pictures: the first track of them that is not a cover.

    :raises Refused: there is none.
    """
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & stream.disposition.attached_pic
    ]
    if not streams:
        raise Refused("This file has sound only. Choose one that has pictures.")
    return streams[0]


def measure(path: Path, *, max_pixels: int, max_seconds: int) -> dict[str, Any]:
    """Return the facts of a file as :class:`SourceFacts` has them, as plain values.

    :raises Refused: nothing in it can be played.
    """
    container, name = open_source(path, max_pixels=max_pixels)
    with container:
        chosen = choose_video(container)
        video = ready_pictures(container, chosen.index, max_pixels=max_pixels)
        sounds = [stream for stream in container.streams.audio if is_decodable(stream)]
        sounds = sounds[:_MOST_TRACKS]
        picture = _first_picture(container, video)
        container.seek(0)
        walks = walk_packets(container, video, sounds, max_seconds=max_seconds)
        begin = min(walk.first for walk in walks.values())
        end = max(walk.end for walk in walks.values())
        duration_ms = max(1, round((end - begin) * 1000))
        size = path.stat().st_size
        return {
            "container": name,
            "duration_ms": duration_ms,
            "size": size,
            "video": {**picture, **_pictures(walks[video.index], begin), "index": video.index},
            "audio": [
                _sound(stream, walks[stream.index], begin)
                for stream in sounds
                if walks[stream.index].count
            ],
        }


def _first_picture(container: InputContainer, video: VideoStream) -> dict[str, Any]:
    """Decode until there is a picture, and return what it is like."""
    frame = next(_decoded(container, video), None)
    if frame is None:
        raise Refused("The pictures of this file cannot be decoded. Upload a whole copy of it.")
    shape = video.sample_aspect_ratio or 1
    width, height = frame.width, frame.height
    if 1 < shape <= 8:
        width = round(width * shape)
    elif 1 / 8 <= shape < 1:
        height = round(height / shape)
    rotation = round(frame.rotation / 90) * 90 % 360
    if rotation % 180:
        width, height = height, width
    return {
        "width": width,
        "height": height,
        "coded_width": frame.width,
        "coded_height": frame.height,
        "codec": video.codec_context.codec.canonical_name,
        "pixel_format": frame.format.name,
        "rotation": rotation,
        "hdr": _HDR.get(int(frame.color_trc), ""),
        "matrix": _MATRICES.get(int(frame.colorspace)) or ("bt709" if height > 576 else "bt601"),
        "full_range": int(frame.color_range) == _FULL or frame.format.name.startswith("yuvj"),
        "interlaced": bool(frame.interlaced_frame),
    }


def _decoded(container: InputContainer, video: VideoStream) -> Iterator[av.VideoFrame]:
    for number, packet in enumerate(container.demux(video)):
        if number > 300:
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def _pictures(walk: Walk, begin: float) -> dict[str, Any]:
    span = max(walk.end - walk.first, 0.001)
    return {
        "frame_rate": round(walk.rate, 3),
        "frames": walk.count,
        "keyframe_ms": round(walk.keyframe_gap * 1000),
        "self_contained": walk.self_contained,
        "start_ms": round((walk.first - begin) * 1000),
        "end_ms": round((walk.end - begin) * 1000),
        "trimmed": walk.trimmed,
        "bit_rate": round(walk.bytes * 8 / span),
    }


def _sound(stream: AudioStream, walk: Walk, begin: float) -> dict[str, Any]:
    language = stream.language or ""
    title = stream.metadata.get("title") or stream.metadata.get("handler_name") or ""
    if "handler" in title.lower() or title.startswith(("ISO Media", "Core Media")):
        title = ""  # what programs write there, which tells nobody anything
    context = stream.codec_context
    profile = stream.profile or ""
    return {
        "index": stream.index,
        "codec": context.codec.canonical_name,
        "profile": profile,
        "channels": context.channels,
        "sample_rate": context.sample_rate,
        "language": language if _is_language(language) else None,
        "title": title.replace("\0", "").strip()[:_TITLE_LIMIT] or None,
        "default": bool(stream.disposition & stream.disposition.default),
        "start_ms": round((walk.first - begin) * 1000),
        "end_ms": round((walk.end - begin) * 1000),
        "bit_rate": round(walk.bytes * 8 / max(walk.end - walk.first, 0.001)),
    }


def _is_language(tag: str) -> bool:
    return len(tag) == _LANGUAGE_LETTERS and tag.isascii() and tag.isalpha() and tag not in _UNSAID


_UNSAID = frozenset({"und", "mis", "mul", "zxx"})


def _do(work: dict[str, Any], path: Path) -> dict[str, Any]:
    max_pixels = work["max_pixels"]
    if work["do"] == "measure":
        return {"facts": measure(path, max_pixels=max_pixels, max_seconds=work["max_seconds"])}
    if work["do"] == "check":
        check_decoding(path, max_pixels=max_pixels, index=work["index"])
        return {"checked": True}
    with Path("poster.jpg").open("wb") as poster, Path("storyboard.jpg").open("wb") as sprite:
        video = VideoTrack(**work["video"])
        drawn = draw(path, video=video, duration_ms=work["duration_ms"], max_pixels=max_pixels)
        poster.write(drawn[0])
        sprite.write(drawn[1])
    return {"width": drawn[2], "height": drawn[3], "times": drawn[4]}


def main() -> None:
    """Do what the arguments say, and print the answer."""
    limits, work, path = json.loads(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3])
    confine(limits)
    answer: dict[str, Any]
    try:
        answer = _do(work, path)
    except Refused as refusal:
        answer = {"refused": refusal.sentence}
    except (av.FFmpegError, ArithmeticError, LookupError, MemoryError, ValueError) as error:
        # What libraries answer to nonsense. The machine's own troubles (a kind of OSError), and
        # whatever goes wrong with a file that was found good, are tried again.
        if isinstance(error, OSError) or work["do"] == "draw":
            raise
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        answer = {"refused": "This file is damaged: it cannot be read. Upload a whole copy of it."}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
