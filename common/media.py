"""The files of a video that are sent: their names in addresses, their places, and their types.

This is the one list of them. The gateway holds it once more, in its own words, and a test holds the
two together.

    /stream/<video>/        under the video's folder
    video.mp4               original.mp4
    download                original.mp4, to keep
    poster.jpg              the same; so are storyboard.jpg and storyboard.vtt
    master.m3u8             hls/master.m3u8
    hls/<rendition>.m3u8    the same; so is hls/<rendition>.mp4
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

ORIGINAL = "original.mp4"

RENDITION = "[a-z0-9-]{1,32}"

_PLAYLIST, _VIDEO, _PICTURE = "application/vnd.apple.mpegurl", "video/mp4", "image/jpeg"
# A download is to be kept, not played, and may be of any kind that comes in: its name says which.
_TO_KEEP = "application/octet-stream"

# A file's name has 255 bytes at most where it will be kept.
_NAME_LIMIT = 240


@dataclass(frozen=True)
class MediaFile:
    """A file of a video.

    :ivar place: under the video's folder.
    :ivar is_download: whether it is the original, to keep: for fewer people than may watch.
    :ivar is_original: whether it is the original, to watch: where browsers can play it.
    """

    place: str
    content_type: str
    is_download: bool = False
    is_original: bool = False


_NAMED = {
    "video.mp4": MediaFile(ORIGINAL, _VIDEO, is_original=True),
    "download": MediaFile(ORIGINAL, _TO_KEEP, is_download=True),
    "poster.jpg": MediaFile("poster.jpg", _PICTURE),
    "storyboard.jpg": MediaFile("storyboard.jpg", _PICTURE),
    "storyboard.vtt": MediaFile("storyboard.vtt", "text/vtt; charset=utf-8"),
    "master.m3u8": MediaFile("hls/master.m3u8", _PLAYLIST),
}
_RENDITIONS = {".m3u8": _PLAYLIST, ".mp4": _VIDEO}

NAMES = (*_NAMED, *(f"hls/<rendition>{ending}" for ending in _RENDITIONS))

_OF_RENDITION = re.compile(rf"hls/{RENDITION}(\.m3u8|\.mp4)")


def media_of(name: str) -> MediaFile | None:
    """Return the file that a name in an address stands for, or None if it is none of ours."""
    found = _NAMED.get(name)
    if found is None and (match := _OF_RENDITION.fullmatch(name)):
        found = MediaFile(name, _RENDITIONS[match[1]])
    return found


def disposition(name: str, container: str = "mp4") -> str:
    """Return a `Content-Disposition` under which a video is kept (RFC 6266, RFC 8187).

    Whatever somebody called their file, the value is printable ASCII without quotes or control
    characters of theirs, below 1,200 bytes, and the name ends as the file's kind does and is
    nobody's path.

    :param container: `mp4`, `mov`, `mkv` or `webm`.
    """
    stem = re.sub(r"(?i)(\.(mp4|m4v|mov|mkv|webm))?$", "", name.strip())
    stem = "".join(c for c in stem if c.isprintable() and c not in '/\\:*?"<>|').strip(" .")
    encoded = stem.encode("utf-8", "ignore")[:_NAME_LIMIT]
    stem = encoded.decode("utf-8", "ignore").strip() or "video"
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", stem)
    full = quote(f"{stem}.{container}", safe="")
    return f"attachment; filename=\"{plain}.{container}\"; filename*=UTF-8''{full}"
