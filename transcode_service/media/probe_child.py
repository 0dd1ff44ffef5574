"""The confined child: `python -m transcode_service.media.probe_child LIMITS WORK FILE`.

It opens the one file, makes it impossible to open others, and prints one line of JSON:
`{"info": ...}`, `{"checked": true}`, `{"unplayable": sentence}`, or the layout of the storyboard.
It does not trust headers: durations come from all packets, and sizes from a decoded frame.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from common.translation import gettext_noop
from transcode_service.media.confine import confine
from transcode_service.media.decode_check import check_decoding
from transcode_service.media.open_container import is_decodable, open_source, video_decoder
from transcode_service.media.packet_scan import TrackScan, scan_packets
from transcode_service.media.source_info import UnplayableSource, VideoTrack
from transcode_service.media.storyboard import POSTER, SPRITE

_HDR = {16: "pq", 18: "hlg"}  # transfer characteristics of ISO/IEC 23091-2, table 3
_MATRICES = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
"""Matrix coefficients, ibid., table 4; without one the size decides, as in players."""

_FULL = 2

# A tag that says which language it is.
_LANGUAGE = re.compile("(?!und|mis|mul|zxx)[A-Za-z]{3}")
_TITLE_LIMIT = 64
_MAX_AUDIO_TRACKS = 16


def measure(path: Path, *, max_pixels: int, max_seconds: int) -> dict[str, Any]:
    """Return the values of :class:`SourceInfo` for a file.

    :raises UnplayableSource: nothing in it can be played.
    """
    container, name = open_source(path, max_pixels=max_pixels)
    with container:
        chosen = [
            stream.index
            for stream in container.streams.video
            if not stream.disposition & stream.disposition.attached_pic  # a cover image
        ]
        if not chosen:
            raise UnplayableSource(
                gettext_noop("This file has audio but no video. Choose a video.")
            )
        video = video_decoder(container, chosen[0], max_pixels=max_pixels)
        decodable = [stream for stream in container.streams.audio if is_decodable(stream)]
        audio = decodable[:_MAX_AUDIO_TRACKS]
        frame = _first_frame(container, video)
        container.seek(0)
        scans = scan_packets(container, video, audio, max_seconds=max_seconds)
        begin = min(scan.first for scan in scans.values())
        end = max(scan.end for scan in scans.values())
        return {
            "container": name,
            "duration_ms": max(1, round((end - begin) * 1000)),
            "size": path.stat().st_size,
            "video": {**frame, **_video_info(scans[video.index], begin), "index": video.index},
            "audio": [
                _audio_info(stream, scans[stream.index], begin)
                for stream in audio
                if scans[stream.index].count
            ],
        }


def _first_frame(container: InputContainer, video: VideoStream) -> dict[str, Any]:
    """Decode until there is a frame, and return its properties."""
    frame = next(_decoded(container, video), None)
    if frame is None:
        raise UnplayableSource(
            gettext_noop("The frames of this video cannot be decoded. Upload a whole copy of it.")
        )
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


def _video_info(scan: TrackScan, begin: float) -> dict[str, Any]:
    return {
        "frame_rate": round(scan.rate, 3),
        "keyframe_ms": round(scan.keyframe_gap * 1000),
        "self_contained": scan.self_contained,
        "start_ms": round((scan.first - begin) * 1000),
        "trimmed": scan.trimmed,
        "bit_rate": scan.bit_rate,
    }


def _audio_info(stream: AudioStream, scan: TrackScan, begin: float) -> dict[str, Any]:
    language = stream.language or ""
    title = stream.metadata.get("title") or stream.metadata.get("handler_name") or ""
    if "handler" in title.lower() or title.startswith(("ISO Media", "Core Media")):
        title = ""  # the default of a program, not a title
    context = stream.codec_context
    return {
        "index": stream.index,
        "codec": context.codec.canonical_name,
        "profile": stream.profile or "",
        "channels": context.channels,
        "sample_rate": context.sample_rate,
        "language": language if _LANGUAGE.fullmatch(language) else None,
        "title": title.replace("\0", "").strip()[:_TITLE_LIMIT] or None,
        "default": bool(stream.disposition & stream.disposition.default),
        "start_ms": round((scan.first - begin) * 1000),
        "bit_rate": scan.bit_rate,
    }


def _do(work: dict[str, Any], path: Path) -> dict[str, Any]:
    max_pixels = work["max_pixels"]
    if work["do"] == "measure":
        return {"info": measure(path, max_pixels=max_pixels, max_seconds=work["max_seconds"])}
    if work["do"] == "check":
        check_decoding(path, max_pixels=max_pixels, index=work["index"])
        return {"checked": True}
    with Path(POSTER).open("wb") as poster:
        return _draw(work, path, poster, max_pixels=max_pixels)


def _draw(work: dict[str, Any], path: Path, poster: BinaryIO, *, max_pixels: int) -> dict[str, Any]:
    # They load Pillow, which nothing else here needs.
    # No file can be opened once the source is: these are loaded, and the others opened, before.
    from transcode_service.media.picture import convert  # noqa: PLC0415
    from transcode_service.media.thumbnails import draw, draw_poster  # noqa: PLC0415

    if work["do"] == "picture":
        convert(path, poster, max_pixels=max_pixels)
        return {"drawn": True}
    video = VideoTrack(**work["video"])
    if work["do"] == "poster":
        draw_poster(path, poster, video=video, at_ms=work["at_ms"], max_pixels=max_pixels)
        return {"drawn": True}
    duration_ms = work["duration_ms"]
    with Path(SPRITE).open("wb") as sprite:
        return draw(
            path, poster, sprite, video=video, duration_ms=duration_ms, max_pixels=max_pixels
        )


def main() -> None:
    """Do the work that the arguments describe, and print the answer."""
    limits, work, path = json.loads(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3])
    confine(limits)
    answer: dict[str, Any]
    try:
        answer = _do(work, path)
    except UnplayableSource as unplayable:
        answer = {"unplayable": unplayable.sentence}
    except (
        av.FFmpegError,
        OSError,
        ArithmeticError,
        LookupError,
        MemoryError,
        ValueError,
    ) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        # Trouble of the machine (a kind of OSError) is tried again. So is trouble with a file that
        # the check found good. Anything else is a library's answer to a damaged file.
        if isinstance(error, OSError) or work["do"] in ("draw", "poster", "picture"):
            sys.exit(1)
        answer = {
            "unplayable": gettext_noop(
                "This file is damaged: it cannot be read. Upload a whole copy of it."
            )
        }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
