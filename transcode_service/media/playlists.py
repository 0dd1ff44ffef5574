"""HLS playlists (RFC 8216), with bandwidths and durations measured on the files."""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from common.translation import gettext_noop
from transcode_service.media.fragments import (
    HEADER_LIMIT,
    Fragment,
    read_channels,
    read_fragments,
)
from transcode_service.media.source_info import MediaFailed, RenditionInfo

SEGMENT_SECONDS = 4.0
Read = Callable[[str, int | None], bytes]
"""Returns a file of a video's renditions by its name, or as many bytes of its start as are wanted.

It raises :class:`FileNotFoundError` if there is none.
"""

_TYPOGRAPHIC = str.maketrans(dict.fromkeys("\"'", "\N{RIGHT SINGLE QUOTATION MARK}"))
_SHORTEST_SHARE = 0.9  # of a segment's seconds: keyframes may be a frame early or late


@dataclass(frozen=True)
class _Segment:
    at: int
    size: int
    duration: float


def write_rendition(folder: Path, name: str, *, kind: str) -> RenditionInfo:
    """Write the playlists of `<name>.mp4` in a folder, and return what is measured of it.

    The caller adds the size of the frame, or the language and the title.

    :raises MediaFailed: the file is not what ffmpeg was asked for.
    """
    try:
        track = read_fragments(folder / f"{name}.mp4")
    except (ValueError, LookupError, struct.error) as error:
        raise MediaFailed(
            gettext_noop("Processing this video gave nothing to play."), str(error)
        ) from error
    segments = list(_segments(track.fragments))
    if kind == "video":
        frames = list(_keyframes(track.fragments))
        lines = _playlist(name, track.header, frames, only_keyframes=True)
        (folder / f"{name}-iframes.m3u8").write_text(lines, encoding="ascii")
    (folder / f"{name}.m3u8").write_text(_playlist(name, track.header, segments), encoding="ascii")
    duration = sum(segment.duration for segment in segments)
    samples = sum(fragment.samples for fragment in track.fragments)
    return RenditionInfo(
        name=name,
        kind=kind,
        codecs=track.codecs,
        bandwidth=peak_rate(segments),
        average_bandwidth=ceil(sum(s.size for s in segments) * 8 / duration),
        size=(folder / f"{name}.mp4").stat().st_size,
        frame_rate=round(samples / duration, 3) if kind == "video" else None,
    )


def peak_rate(segments: Sequence[_Segment]) -> int:
    """Return the largest bit rate of any contiguous segments that last about a segment's time.

    RFC 8216, 4.1: sets of segments of 0.5 to 1.5 target durations; a short last one alone says
    nothing.
    """
    target = max(segment.duration for segment in segments)
    peak = 0.0
    for number in range(len(segments)):
        size = duration = 0.0
        for segment in segments[number:]:
            size += segment.size
            duration += segment.duration
            if duration > 1.5 * target:
                break
            if duration >= 0.5 * target:
                peak = max(peak, size * 8 / duration)
    return ceil(peak)


def _segments(fragments: Sequence[Fragment]) -> Iterator[_Segment]:
    """Join fragments into segments of `SEGMENT_SECONDS` or a little longer.

    Boundaries lie on a fixed grid of time, the same for all renditions.
    """
    open_: list[Fragment] = []
    grid = SEGMENT_SECONDS * _SHORTEST_SHARE
    start = fragments[0].begin
    number = 1
    for fragment in fragments:
        if open_ and fragment.begin - start >= (number - 1) * SEGMENT_SECONDS + grid:
            yield _joined(open_)
            open_ = []
            number = max(number + 1, int((fragment.begin - start) / SEGMENT_SECONDS + 0.1) + 1)
        open_.append(fragment)
    yield _joined(open_)


def _joined(fragments: Sequence[Fragment]) -> _Segment:
    first, last = fragments[0], fragments[-1]
    duration = sum(fragment.duration for fragment in fragments)
    return _Segment(first.at, last.at + last.size - first.at, max(duration, 0.001))


def _keyframes(fragments: Iterable[Fragment]) -> Iterator[_Segment]:
    for fragment in fragments:
        if fragment.keyframe:
            yield _Segment(fragment.at, fragment.first, max(fragment.duration, 0.001))


def _playlist(
    name: str, header: int, segments: Sequence[_Segment], *, only_keyframes: bool = False
) -> str:
    target = max(1, *(int(segment.duration + 0.5) for segment in segments))
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{target}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-I-FRAMES-ONLY" if only_keyframes else "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{name}.mp4",BYTERANGE="{header}@0"',
    ]
    for segment in segments:
        byte_range = f"#EXT-X-BYTERANGE:{segment.size}@{segment.at}"
        lines += [f"#EXTINF:{segment.duration:.5f},", byte_range, f"{name}.mp4"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def read_segments(playlist: str) -> list[_Segment]:
    """Return the segments of a media playlist that :func:`write_rendition` wrote."""
    found, duration = [], 0.0
    for line in playlist.splitlines():
        name, _, value = line.partition(":")
        if name == "#EXTINF":
            duration = float(value.rstrip(","))
        elif name == "#EXT-X-BYTERANGE":
            size, _, at = value.partition("@")
            found.append(_Segment(int(at), int(size), duration))
    return found


def write_master(renditions: Iterable[RenditionInfo], *, read: Read) -> str:
    """Return the master playlist of a video, naming its playlists as `hls/<name>.m3u8`.

    The bandwidth of each video rendition includes the largest of the audio (RFC 8216, 4.3.4.2).

    :param renditions: all that are published, with at least one video rendition.
    :raises FileNotFoundError: an audio file is not there.
    """
    rows = list(renditions)
    audio = sorted(
        (row for row in rows if row.kind == "audio"), key=lambda row: (len(row.name), row.name)
    )
    video = sorted(
        (row for row in rows if row.kind == "video"), key=lambda row: row.average_bandwidth
    )
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    names = _distinct_names(audio)
    for number, track in enumerate(audio):
        channels = read_channels(read(f"{track.name}.mp4", HEADER_LIMIT))
        lines.append(_media_line(track, names[number], channels, first=number == 0))
    for row in video:
        lines += [_stream_line(row, audio), f"hls/{row.name}.m3u8"]
    for row in video:
        with suppress(FileNotFoundError):  # an earlier version wrote none
            keyframes = read(f"{row.name}-iframes.m3u8", None).decode("ascii")
            lines.append(_keyframes_line(row, read_segments(keyframes)))
    return "\n".join([*lines, ""])


def _distinct_names(audio: Sequence[RenditionInfo]) -> list[str]:
    """RFC 8216, 4.3.4.1.1: names differ within a group."""
    names: list[str] = []
    for number, track in enumerate(audio, start=1):
        name = _quotable(track.title or track.language or f"Audio {number}")
        names.append(name if name not in names else f"{name} ({number})")
    return names


def _quotable(text: str) -> str:
    """Return text for a quoted string, which may hold no line break and no quote (RFC 8216, 4.2).

    Some parsers take an apostrophe for a quote too, so the typographic one stands in for both.
    """
    kept = "".join(c for c in text if c.isprintable()).translate(_TYPOGRAPHIC)
    return kept.strip() or "Audio"


def _media_line(track: RenditionInfo, name: str, channels: int, *, first: bool) -> str:
    language = f',LANGUAGE="{track.language}"' if track.language else ""
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="{name}"{language},'
        f'DEFAULT={"YES" if first else "NO"},AUTOSELECT=YES,CHANNELS="{channels}",'
        f'URI="hls/{track.name}.m3u8"'
    )


def _stream_line(row: RenditionInfo, audio: Sequence[RenditionInfo]) -> str:
    peak = row.bandwidth + max((track.bandwidth for track in audio), default=0)
    average = row.average_bandwidth + max((s.average_bandwidth for s in audio), default=0)
    codecs = ",".join(dict.fromkeys([row.codecs, *(track.codecs for track in audio)]))
    line = f'#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS="{codecs}"'
    line += f",RESOLUTION={row.width}x{row.height}"
    if row.frame_rate:
        line += f",FRAME-RATE={row.frame_rate:.3f}"
    return line + (',AUDIO="audio"' if audio else "")


def _keyframes_line(row: RenditionInfo, frames: Sequence[_Segment]) -> str:
    average = ceil(sum(f.size for f in frames) * 8 / sum(f.duration for f in frames))
    return (
        f"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={peak_rate(frames)},AVERAGE-BANDWIDTH={average},"
        f'CODECS="{row.codecs}",RESOLUTION={row.width}x{row.height},'
        f'URI="hls/{row.name}-iframes.m3u8"'
    )
