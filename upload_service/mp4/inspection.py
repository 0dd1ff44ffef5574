"""Decide whether a finished upload is a playable MP4, and read what the watch page needs."""

from dataclasses import dataclass
from typing import BinaryIO

from common.formats import DEFAULT
from upload_service.mp4.boxes import Box, Reader
from upload_service.mp4.codecs import is_playable, name_codec
from upload_service.mp4.foreign import HEAD, name_foreign, name_still
from upload_service.mp4.fragments import add_fragment, check_index
from upload_service.mp4.refusals import NotAVideo, cut_short, damaged, too_much
from upload_service.mp4.tracks import PICTURE, SOUND, Movie, Track, read_movie

MAX_SIDE = 16_384
MAX_PIXELS = 1 << 26
"""8192 x 8192: the largest level of H.264 and HEVC is 8192 x 4352, of AV1 16384 x 8704."""

MAX_HOURS = 48
MAX_RATE = 500
"""Frames a second, on average: slow-motion cameras write 240."""

_TOP_LEVEL = frozenset(
    b"ftyp styp moov moof mdat sidx mfra free skip wide uuid pdin meta udta pnot PICT junk emsg"
    b" prft ssix".split()
)
_MAX_FTYP = 4096
_QUICKTIME = (b"", b"qt  ")  # the first ones had no `ftyp`


@dataclass(frozen=True)
class VideoFacts:
    """What the watch page needs to know of a video.

    :ivar duration_ms: measured from the samples, at least 1.
    :ivar width: as shown: after rotation, with square pixels.
    :ivar height: likewise.
    :ivar video_codec: RFC 6381, such as `avc1.64001f`.
    :ivar audio_codec: likewise, such as `mp4a.40.2`; None without sound.
    :ivar fast_start: whether the index comes before the pictures, so that playing can start early.
    :ivar fragmented: whether it has movie fragments.
    :ivar container: `mp4`, `mov`, `mkv` or `webm`.
    :ivar playable: whether browsers in general play it as it is.
    """

    duration_ms: int
    width: int
    height: int
    video_codec: str
    audio_codec: str | None
    fast_start: bool
    fragmented: bool
    container: str = "mp4"
    playable: bool = True


@dataclass
class _File:
    """What the walk along the top level found."""

    brand: bytes = b""
    moov_at: int | None = None
    mdat_at: int | None = None
    movie: Movie | None = None
    fragments: int = 0


def inspect(file: BinaryIO, *, size: int, formats: frozenset[str] = DEFAULT) -> VideoFacts:
    """Check that a file is an MP4 that browsers can play, and read its facts.

    QuickTime files count as MP4 files, as browsers see it. With `mov` among the formats, codecs may
    come in that have to be converted.

    Works on the boxes alone and never reads the media data. Nothing the file announces is allocated
    or repeated on its word, so hostile files cost under a second and a few megabytes.

    :param file: open for reading and able to seek; left at any position.
    :param size: its size in bytes.
    :param formats: what may come in: see `common.formats`.
    :raises NotAVideo: it is not, with a sentence that says what is wrong.
    :raises OSError: the file cannot be read.
    """
    reader = Reader(file, size)
    head = reader.read(0, min(size, HEAD))
    if head[4:8] not in _TOP_LEVEL:
        raise name_foreign(head)
    found = _walk(reader)
    if found.movie is None:
        raise _no_movie(found)
    if not found.movie.tracks:
        raise name_still(found.brand) or _no_picture()
    if found.mdat_at is None:
        raise cut_short()
    container = "mov" if found.brand in _QUICKTIME else "mp4"
    if not formats & {"mp4", container}:
        raise NotAVideo("This is an MP4 video, which this site does not take. Choose another.")
    return _facts(found, found.movie, size, container=container, converted="mov" in formats)


def _walk(reader: Reader) -> _File:
    found = _File()
    at = 0
    while at < reader.size:
        if reader.size - at < 8:
            if found.fragments:
                raise cut_short()
            break
        if found.movie and found.mdat_at is not None and not _is_name(reader.read(at, 8)[4:]):
            break  # Cameras append data of their own, and some tools zeros.
        box = reader.box_at(at, reader.size, may_be_open=True)
        if box.end > reader.size:
            known = box.kind in _TOP_LEVEL
            raise cut_short() if known else damaged("a part is larger than the file")
        _visit(reader, box, found)
        at = box.end
    return found


def _visit(reader: Reader, box: Box, found: _File) -> None:
    if box.kind == b"ftyp":
        if box.end - box.start > _MAX_FTYP:
            raise damaged("its first part has an impossible size")
        found.brand = found.brand or reader.body(box)[:4]
    elif box.kind == b"mdat":
        found.mdat_at = box.start if found.mdat_at is None else found.mdat_at
    elif box.kind == b"moov" and found.movie is None:  # Of several the first counts.
        found.moov_at = box.start
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


def _no_movie(found: _File) -> NotAVideo:
    still = name_still(found.brand)
    if still:
        return still
    if found.fragments:
        return NotAVideo(
            "This file is one piece of a longer stream, without its beginning. "
            "Save the whole video as one MP4 and upload that."
        )
    if found.mdat_at is None:
        return NotAVideo(
            "There is no video in this file, only the beginning of one. "
            "Get a whole copy of it and upload it again."
        )
    return NotAVideo(
        "This file is cut short: the index, which comes last in it, is missing. "
        "Get a whole copy of it and upload it again."
    )


def _no_picture() -> NotAVideo:
    return NotAVideo("There is no picture in this file. Choose a video.")


def _facts(found: _File, movie: Movie, size: int, *, container: str, converted: bool) -> VideoFacts:
    fragmented = found.fragments > 0
    pictures = _with_samples(movie, PICTURE)
    sounds = _with_samples(movie, SOUND)
    if not pictures:
        raise _no_pictures(found, movie, has_sound=bool(sounds))
    video, video_codec = _choose(pictures, part="picture", converted=converted)
    audio, audio_codec = None, None
    if sounds:
        audio, audio_codec = _choose(sounds, part="sound", converted=converted)
    chosen = [video, audio] if audio else [video]
    milliseconds = max(_played_ms(track, movie, fragmented=fragmented) for track in chosen)
    _check_measures(video, size, milliseconds)
    width, height = _shown_size(video)
    return VideoFacts(
        duration_ms=milliseconds,
        width=width,
        height=height,
        video_codec=video_codec,
        audio_codec=audio_codec,
        fast_start=found.moov_at is not None
        and found.mdat_at is not None
        and found.moov_at < found.mdat_at,
        fragmented=fragmented,
        container=container,
        playable=is_playable(video_codec, audio_codec),
    )


def _with_samples(movie: Movie, handler: bytes) -> list[Track]:
    """Return the tracks of a kind that have samples, those switched on (8.3.1) first."""
    tracks = [track for track in movie.tracks if track.handler == handler and track.samples]
    return sorted(tracks, key=lambda track: not track.enabled)


def _no_pictures(found: _File, movie: Movie, *, has_sound: bool) -> NotAVideo:
    if has_sound:
        return NotAVideo("This file has sound but no picture. Choose a video.")
    if any(track.handler == PICTURE for track in movie.tracks):
        return cut_short()
    return name_still(found.brand) or _no_picture()


def _choose(tracks: list[Track], *, part: str, converted: bool) -> tuple[Track, str]:
    """Return the first track that browsers play, or that can be converted, and its codec.

    :raises NotAVideo: there is none; says why of the first track.
    """
    refusals: list[NotAVideo] = []
    for track in tracks:
        try:
            names = [
                name_codec(entry.kind, entry.parts, part=part, converted=converted)
                for entry in track.entries
            ]
        except NotAVideo as refusal:
            refusals.append(refusal)
        else:
            if names:
                return track, names[0]
            refusals.append(damaged(f"the {part} does not say how to decode it"))
    raise refusals[0]


def _played_ms(track: Track, movie: Movie, *, fragmented: bool) -> int:
    """Measure how long a track plays: its samples, shortened or repeated by its edits (8.6.6).

    An edit is believed up to the length of what there is to play. Fragments come after the edit
    list was written, so it says nothing about their length.
    """
    media = _in_ms(track.ticks, track.timescale)
    if fragmented or not movie.timescale:
        return media
    stretches = [_in_ms(length, movie.timescale) for length, start in track.edits if start >= 0]
    if not stretches:
        return media
    waits = sum(_in_ms(length, movie.timescale) for length, start in track.edits if start < 0)
    return sum(min(length or media, media) for length in stretches) + min(waits, media)


def _in_ms(ticks: int, timescale: int) -> int:
    return (ticks * 1000 + timescale // 2) // timescale


def _check_measures(video: Track, size: int, milliseconds: int) -> None:
    """Refuse what no camera makes and no player survives."""
    own = _in_ms(video.ticks, video.timescale)
    if own < 1:
        raise damaged("its pictures last no time")
    if milliseconds > MAX_HOURS * 3_600_000:
        raise too_much(f"says that it lasts longer than {MAX_HOURS} hours")
    if video.samples > size:
        raise damaged("its index promises more pictures than there are bytes")
    if (video.samples - 1) * 1000 > MAX_RATE * own:
        raise too_much(f"has more than {MAX_RATE} pictures a second")


def _shown_size(video: Track) -> tuple[int, int]:
    """Return width and height as shown: square pixels, after rotation.

    Pixels that are not square (12.1.4.1, or a track header with another shape than the picture,
    8.3.2) stretch one side, so that no line of the picture is lost.
    """
    entry = video.entries[0]
    width, height = entry.width, entry.height
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE) or width * height > MAX_PIXELS:
        raise too_much(f"has a picture of {width} by {height} points")
    across, down = _pixel_shape(video)
    if across > down:
        width = min(round(width * across / down), MAX_SIDE)
    elif down > across:
        height = min(round(height * down / across), MAX_SIDE)
    return (height, width) if video.turned else (width, height)


def _pixel_shape(video: Track) -> tuple[int, int]:
    """Return how wide and how high a pixel is, 1 to 1 if the file says nothing believable."""
    entry = video.entries[0]
    pasp = entry.parts.get(b"pasp", b"")
    if len(pasp) >= 8:
        across, down = int.from_bytes(pasp[:4], "big"), int.from_bytes(pasp[4:8], "big")
    else:
        across, down = video.shown[0] * entry.height, video.shown[1] * entry.width
    if not across or not down or not 1 / 8 <= across / down <= 8:
        return 1, 1
    # A track header holds whole points as a rule: within one of them is the same shape.
    if abs(across / down - 1) * max(entry.width, entry.height) <= 1:
        return 1, 1
    return across, down
