"""Decide whether a file is an MP4 that browsers can play, and read its properties.

Only boxes are read, never the media data. Nothing is allocated or repeated because a number in the
file says so: a hostile file costs less than a second and a few megabytes.
"""

from dataclasses import dataclass

from common.translation import gettext, gettext_noop
from upload_service.inspect.codecs import is_playable, name_codec, no_decoder
from upload_service.inspect.errors import NotAVideo, damaged, limit_exceeded, truncated
from upload_service.inspect.mp4.boxes import Box, BoxReader
from upload_service.inspect.mp4.fragments import add_fragment, check_index
from upload_service.inspect.mp4.tracks import AUDIO, VIDEO, Movie, Mp4Track, read_movie
from upload_service.inspect.signatures import error_for_image, error_for_signature
from upload_service.inspect.video_info import (
    MAX_FRAME_RATE,
    MAX_HOURS,
    MAX_PIXELS,
    MAX_SIDE,
    VideoInfo,
)

_TOP_LEVEL = frozenset(
    b"ftyp styp moov moof mdat sidx mfra free skip wide uuid pdin meta udta pnot PICT junk emsg"
    b" prft ssix".split()
)
_MAX_FTYP = 4096
_NO_VIDEO = gettext_noop("There is no video in this file. Choose a video.")
_QUICKTIME = (b"", b"qt  ")  # the first QuickTime files had no `ftyp`


@dataclass
class _TopLevel:
    """What the top level of the file holds."""

    brand: bytes = b""  # the major one of `ftyp`
    has_mdat: bool = False
    movie: Movie | None = None
    fragments: int = 0


def inspect_mp4(reader: BoxReader, head: bytes, *, formats: frozenset[str]) -> VideoInfo:
    """Do what :func:`upload_service.inspect.inspect_file` does, for MP4 and QuickTime files.

    QuickTime files count as MP4 files, as they do for browsers. With `mov` among the formats,
    codecs are accepted that have to be converted.

    :param head: the first bytes of the file, up to `upload_service.inspect.signatures.HEAD`.
    """
    if head[4:8] not in _TOP_LEVEL:
        raise error_for_signature(head)
    found = _walk(reader)
    if found.movie is None:
        raise _no_movie(found)
    if not found.movie.tracks:
        raise error_for_image(found.brand) or NotAVideo(gettext(_NO_VIDEO))
    if not found.has_mdat:
        raise truncated()
    container = "mov" if found.brand in _QUICKTIME else "mp4"
    if not formats & {"mp4", container}:
        raise NotAVideo(
            gettext("This is an MP4 video, which this site does not take. Choose another.")
        )
    return _video_info(
        found, found.movie, reader.size, container=container, convertible="mov" in formats
    )


def _walk(reader: BoxReader) -> _TopLevel:
    found = _TopLevel()
    offset = 0
    while offset < reader.size:
        if reader.size - offset < 8:
            if found.fragments:
                raise truncated()
            break
        if found.movie and found.has_mdat and not _is_name(reader.read(offset, 8)[4:]):
            break  # Cameras append data of their own, and some tools zeros.
        box = reader.box_at(offset, reader.size, may_be_open=True)
        if box.end > reader.size:
            known = box.kind in _TOP_LEVEL
            raise truncated() if known else damaged(gettext("a part is larger than the file"))
        _visit(reader, box, found)
        offset = box.end
    return found


def _visit(reader: BoxReader, box: Box, found: _TopLevel) -> None:
    if box.kind == b"ftyp":
        if box.end - box.start > _MAX_FTYP:
            raise damaged(gettext("its first part has an impossible size"))
        found.brand = found.brand or reader.body(box)[:4]
    elif box.kind == b"mdat":
        found.has_mdat = True
    elif box.kind == b"moov" and found.movie is None:  # Of several the first counts.
        found.movie = read_movie(reader, box)
    elif box.kind == b"moof":
        found.fragments += 1
        if found.movie:
            add_fragment(reader, box, found.movie)
    elif box.kind == b"sidx":
        check_index(reader, box)


def _is_name(kind: bytes) -> bool:
    """Tell whether four bytes could name a box: printable, or Apple's copyright sign first."""
    return kind in _TOP_LEVEL or all(0x20 <= byte < 0x7F for byte in kind.removeprefix(b"\xa9"))


def _no_movie(found: _TopLevel) -> NotAVideo:
    image = error_for_image(found.brand)
    if image:
        return image
    if found.fragments:
        return NotAVideo(
            gettext(
                "This file is one piece of a longer stream, without its beginning. Save the "
                "whole video as one MP4 and upload that."
            )
        )
    if not found.has_mdat:
        return NotAVideo(
            gettext(
                "There is no video in this file, only the beginning of one. Get a whole copy "
                "of it and upload it again."
            )
        )
    return NotAVideo(
        gettext(
            "This file is cut short: the index, which comes last in it, is missing. Get a "
            "whole copy of it and upload it again."
        )
    )


def _video_info(
    found: _TopLevel, movie: Movie, size: int, *, container: str, convertible: bool
) -> VideoInfo:
    videos = _with_samples(movie, VIDEO)
    audios = _with_samples(movie, AUDIO)
    if not videos:
        raise _no_video_track(found, movie, has_audio=bool(audios))
    video, video_codec = _choose(videos, "video", convertible=convertible)
    audio, audio_codec = None, None
    if audios:
        audio, audio_codec = _choose(audios, "audio", convertible=convertible)
    chosen = [video, audio] if audio else [video]
    duration_ms = max(_played_ms(track, movie, fragmented=found.fragments > 0) for track in chosen)
    _check_limits(video, size, duration_ms)
    width, height = _display_size(video)
    return VideoInfo(
        container=container,
        playable=is_playable(video_codec, audio_codec),
        duration_ms=duration_ms,
        width=width,
        height=height,
        video_codec=video_codec,
        audio_codec=audio_codec,
    )


def _with_samples(movie: Movie, handler: bytes) -> list[Mp4Track]:
    """Return the tracks of a kind that have samples, enabled ones (8.3.1) first."""
    tracks = [track for track in movie.tracks if track.handler == handler and track.samples]
    return sorted(tracks, key=lambda track: not track.enabled)


def _no_video_track(found: _TopLevel, movie: Movie, *, has_audio: bool) -> NotAVideo:
    if has_audio:
        return NotAVideo(gettext("This file has audio but no video. Choose a video."))
    if any(track.handler == VIDEO for track in movie.tracks):
        return truncated()
    return error_for_image(found.brand) or NotAVideo(gettext(_NO_VIDEO))


def _choose(tracks: list[Mp4Track], kind: str, *, convertible: bool) -> tuple[Mp4Track, str]:
    """Return the first track that browsers play, or that can be converted, and its codec.

    :param kind: "video" or "audio".
    :raises NotAVideo: there is none; says why of the first track.
    """
    errors: list[NotAVideo] = []
    for track in tracks:
        try:
            names = [
                name_codec(entry.kind, entry.boxes, track=kind, convertible=convertible)
                for entry in track.entries
            ]
        except NotAVideo as error:
            errors.append(error)
        else:
            if names:
                return track, names[0]
            errors.append(damaged(no_decoder(kind)))
    raise errors[0]


def _played_ms(track: Mp4Track, movie: Movie, *, fragmented: bool) -> int:
    """Measure how long a track plays: its samples, shortened or repeated by its edits (8.6.6).

    An edit is believed up to the length of the samples. Fragments come after the edit list was
    written, so it says nothing about their length.
    """
    media_ms = _in_ms(track.ticks, track.timescale)
    if fragmented or not movie.timescale:
        return media_ms
    played = [_in_ms(length, movie.timescale) for length, start in track.edits if start >= 0]
    if not played:
        return media_ms
    empty = sum(_in_ms(length, movie.timescale) for length, start in track.edits if start < 0)
    return sum(min(length or media_ms, media_ms) for length in played) + min(empty, media_ms)


def _in_ms(ticks: int, timescale: int) -> int:
    return (ticks * 1000 + timescale // 2) // timescale


def _check_limits(video: Mp4Track, size: int, duration_ms: int) -> None:
    """Reject what no camera records and no player survives."""
    own_ms = _in_ms(video.ticks, video.timescale)
    if own_ms < 1:
        raise damaged(gettext("its video lasts no time"))
    if duration_ms > MAX_HOURS * 3_600_000:
        raise limit_exceeded(
            gettext("it says that it lasts longer than %(max_hours)s hours", max_hours=MAX_HOURS)
        )
    if video.samples > size:
        raise damaged(gettext("its index lists more frames than there are bytes"))
    if (video.samples - 1) * 1000 > MAX_FRAME_RATE * own_ms:
        raise limit_exceeded(
            gettext(
                "it has more than %(max_frame_rate)s frames per second",
                max_frame_rate=MAX_FRAME_RATE,
            )
        )


def _display_size(video: Mp4Track) -> tuple[int, int]:
    """Return width and height as displayed: square pixels, after rotation.

    Pixels that are not square (12.1.4.1, or a track header with another aspect ratio than the
    frame, 8.3.2) stretch one side, so that no line of the frame is lost.
    """
    entry = video.entries[0]
    width, height = entry.width, entry.height
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE) or width * height > MAX_PIXELS:
        raise limit_exceeded(
            gettext("it has a frame of %(width)s by %(height)s pixels", width=width, height=height)
        )
    across, down = _pixel_aspect(video)
    if across > down:
        width = min(round(width * across / down), MAX_SIDE)
    elif down > across:
        height = min(round(height * down / across), MAX_SIDE)
    return (height, width) if video.rotated else (width, height)


def _pixel_aspect(video: Mp4Track) -> tuple[int, int]:
    """Return how wide and how high a pixel is, 1 to 1 if the file says nothing believable."""
    entry = video.entries[0]
    pasp = entry.boxes.get(b"pasp", b"")
    if len(pasp) >= 8:
        across, down = int.from_bytes(pasp[:4], "big"), int.from_bytes(pasp[4:8], "big")
    else:
        across, down = video.display_size[0] * entry.height, video.display_size[1] * entry.width
    if not across or not down or not 1 / 8 <= across / down <= 8:
        return 1, 1
    # Track headers mostly hold whole pixels: within one of them is the same aspect ratio.
    if abs(across / down - 1) * max(entry.width, entry.height) <= 1:
        return 1, 1
    return across, down
