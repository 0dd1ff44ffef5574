"""Decide whether an upload is a Matroska or WebM film that can be converted, and read its facts.

The elements are those of RFC 9559, whose section numbers the functions cite. Nothing is read of the
pictures and sounds; whether they decode, and whether all of them are there, the transcode service
finds out before anybody watches.
"""

from dataclasses import dataclass, field
from typing import BinaryIO

from upload_service.ebml import Element, Elements
from upload_service.matroska_codecs import picture_codec, sound_codec
from upload_service.mp4.inspection import MAX_HOURS, MAX_PIXELS, MAX_SIDE, VideoFacts
from upload_service.mp4.refusals import NotAVideo, cut_short, damaged, too_much

MAGIC = b"\x1aE\xdf\xa3"

_HEADER, _DOC_TYPE, _READ_VERSION = 0x1A45DFA3, 0x4282, 0x4285
_SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_SEGMENT_LEVEL = frozenset(
    # Besides these: SeekHead, Cues, Chapters, Tags, Attachments.
    (_INFO, _TRACKS, _CLUSTER, 0x114D9B74, 0x1C53BB6B, 0x1043A770, 0x1254C367, 0x1941A469)
)
_TIMESTAMP_SCALE, _DURATION = 0x2AD7B1, 0x4489
_TRACK, _TRACK_TYPE, _CODEC_ID, _CODEC_PRIVATE = 0xAE, 0x83, 0x86, 0x63A2
_ENCODINGS, _ENCODING, _ENCRYPTION = 0x6D80, 0x6240, 0x5035
_VIDEO, _WIDTH, _HEIGHT, _SHOWN_WIDTH, _SHOWN_HEIGHT = 0xE0, 0xB0, 0xBA, 0x54B0, 0x54BA
_TIMESTAMP, _SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK = 0xE7, 0xA3, 0xA0, 0xA1

_PICTURE, _SOUND = 1, 2  # track types (5.1.4.1.3)
_NEWEST = 4  # version of Matroska that is understood
_MOST_TRACKS = 128
_SLACK_MS = 60_000  # by which a film may say that it goes on after its last cluster begins


@dataclass
class _Track:
    kind: int = 0
    codec: str = ""
    config: bytes | None = None
    width: int = 0
    height: int = 0
    shown: tuple[int, int] = (0, 0)
    locked: bool = False


@dataclass
class _Film:
    scale: int = 1_000_000  # nanoseconds of a tick (5.1.2.9)
    ticks: float | None = None
    tracks: list[_Track] = field(default_factory=list)
    last_tick: int | None = None  # of the last block that was looked at


def inspect_matroska(file: BinaryIO, *, size: int, formats: frozenset[str]) -> VideoFacts:
    """Check that a file is a whole Matroska or WebM film that can be converted.

    :param formats: of mkv and webm, what may come in.
    :raises NotAVideo: it is not, with a sentence that says what is wrong.
    :raises OSError: the file cannot be read.
    """
    elements = Elements(file, size)
    header = elements.at(0, size)
    container = _container(elements, header)
    if container not in formats:
        raise NotAVideo(
            f"This is a {'WebM' if container == 'webm' else 'Matroska'} video, which this site "
            "does not take. Convert it to MP4 and upload it again."
        )
    if header.end >= size:
        raise cut_short()
    segment = elements.at(header.end, size)
    if segment.id != _SEGMENT:
        raise damaged("the film does not follow its header")
    if segment.end > size:
        raise cut_short()
    return _facts(_walk(elements, segment), container)


def _container(elements: Elements, header: Element) -> str:
    """Return `mkv` or `webm` by the header (RFC 8794, 11.2)."""
    if header.id != _HEADER or header.is_open or header.end - header.body > 4096:
        raise damaged("its first part has an impossible size")
    if header.end > elements.size:
        raise cut_short()
    kind = "matroska"
    for child in elements.children(header):
        if child.id == _DOC_TYPE:
            kind = elements.text(child)
        elif child.id == _READ_VERSION and elements.number(child) > _NEWEST:
            raise damaged("it is of a version that is not known here")
    if kind not in ("matroska", "webm"):
        raise damaged("it is neither Matroska nor WebM")
    return "webm" if kind == "webm" else "mkv"


def _walk(elements: Elements, segment: Element) -> _Film:
    film = _Film()
    clusters = 0
    last: Element | None = None
    at = segment.body
    while at < segment.end:
        part = elements.at(at, segment.end)
        if part.end > segment.end:
            raise cut_short()
        if part.is_open and part.id != _CLUSTER:
            raise damaged("one of its parts does not say how long it is")
        if part.id == _INFO:
            _read_info(elements, part, film)
        elif part.id == _TRACKS and not film.tracks:
            _read_tracks(elements, part, film)
        elif part.id == _CLUSTER:
            clusters += 1
            if part.is_open:
                part = _read_cluster(elements, part, film)
            last = part
        at = part.end
    if last is None:
        raise NotAVideo(
            "There is no video in this file, only the beginning of one. "
            "Get a whole copy of it and upload it again."
        )
    _read_cluster(elements, last, film)
    return film


def _read_info(elements: Elements, info: Element, film: _Film) -> None:
    for child in elements.children(info):
        if child.id == _TIMESTAMP_SCALE:
            film.scale = elements.number(child)
        elif child.id == _DURATION:
            film.ticks = elements.real(child)


def _read_tracks(elements: Elements, tracks: Element, film: _Film) -> None:
    for child in elements.children(tracks):
        if child.id == _TRACK:
            film.tracks.append(_read_track(elements, child))
            if len(film.tracks) > _MOST_TRACKS:
                raise too_much(f"has more than {_MOST_TRACKS} tracks")


def _read_track(elements: Elements, entry: Element) -> _Track:
    track = _Track()
    for child in elements.children(entry):
        if child.id == _TRACK_TYPE:
            track.kind = elements.number(child)
        elif child.id == _CODEC_ID:
            track.codec = elements.text(child)
        elif child.id == _CODEC_PRIVATE:
            track.config = elements.bytes_of(child, 256)
        elif child.id == _ENCODINGS:
            encodings = [e for e in elements.children(child) if e.id == _ENCODING]
            inner = (part.id for e in encodings for part in elements.children(e))
            track.locked = _ENCRYPTION in inner
        elif child.id == _VIDEO:
            found = {part.id: part for part in elements.children(child)}
            sides = (_WIDTH, _HEIGHT, _SHOWN_WIDTH, _SHOWN_HEIGHT)
            numbers = [elements.number(found[i]) if i in found else 0 for i in sides]
            track.width, track.height = numbers[:2]
            track.shown = (numbers[2] or track.width, numbers[3] or track.height)
    return track


def _read_cluster(elements: Elements, cluster: Element, film: _Film) -> Element:
    """Note when its last block begins; return it with its end, if that was unknown.

    An element of unknown size ends where one that it cannot hold begins (RFC 8794, 6.2).
    """
    began, at = 0, cluster.body
    while at < cluster.end:
        child = elements.at(at, cluster.end)
        if cluster.is_open and child.id in _SEGMENT_LEVEL:
            break
        if child.is_open or child.end > cluster.end:
            raise cut_short()
        if child.id == _TIMESTAMP:
            began = elements.number(child)
            film.last_tick = max(film.last_tick or 0, began)
        elif child.id == _SIMPLE_BLOCK:
            _note_block(elements, child, began, film)
        elif child.id == _BLOCK_GROUP:
            for part in elements.children(child):
                if part.id == _BLOCK:
                    _note_block(elements, part, began, film)
        at = child.end
    return cluster._replace(end=at, is_open=False)


def _note_block(elements: Elements, block: Element, began: int, film: _Film) -> None:
    """A block begins with its track's number and its time from the cluster's (10.1)."""
    head = elements.bytes_of(block, 12)
    length = 9 - head[0].bit_length() if head else 9
    if length > 8 or len(head) < length + 2:
        raise damaged("one of its pictures has no time")
    after = int.from_bytes(head[length : length + 2], "big", signed=True)
    film.last_tick = max(film.last_tick or 0, began + after)


def _facts(film: _Film, container: str) -> VideoFacts:
    pictures = [track for track in film.tracks if track.kind == _PICTURE]
    sounds = [track for track in film.tracks if track.kind == _SOUND]
    if not pictures:
        if sounds:
            raise NotAVideo("This file has sound but no picture. Choose a video.")
        raise NotAVideo("There is no picture in this file. Choose a video.")
    if any(track.locked for track in (*pictures, *sounds)):
        raise NotAVideo(
            "This file is locked with copy protection (DRM). Choose one that plays without a key."
        )
    video = pictures[0]
    width, height = _shown_size(video)
    return VideoFacts(
        duration_ms=_duration_ms(film),
        width=width,
        height=height,
        video_codec=picture_codec(video.codec, video.config),
        audio_codec=sound_codec([sound.codec for sound in sounds]) if sounds else None,
        fast_start=True,
        fragmented=False,
        container=container,
        playable=False,
    )


def _duration_ms(film: _Film) -> int:
    """Return what the header says (5.1.2.10), as far as there are pictures for it."""
    if not 0 < film.scale <= 10**9:
        raise damaged("its clock cannot be right")
    last = (film.last_tick or 0) * film.scale // 1_000_000
    said = last if film.ticks is None else round(film.ticks * film.scale / 1_000_000)
    milliseconds = max(1, min(said, last + _SLACK_MS))
    if milliseconds > MAX_HOURS * 3_600_000:
        raise too_much(f"says that it lasts longer than {MAX_HOURS} hours")
    return milliseconds


def _shown_size(video: _Track) -> tuple[int, int]:
    """Return width and height with square pixels (5.1.4.1.28)."""
    width, height = video.width, video.height
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE) or width * height > MAX_PIXELS:
        raise too_much(f"has a picture of {width} by {height} points")
    shape = video.shown[0] * height / (video.shown[1] * width)
    if 1 < shape <= 8:
        width = min(round(width * shape), MAX_SIDE)
    elif 1 / 8 <= shape < 1:
        height = min(round(height / shape), MAX_SIDE)
    return width, height
