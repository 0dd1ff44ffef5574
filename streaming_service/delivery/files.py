"""The media files of a video: their names in URLs, their paths, and their names as downloads.

This is the service's list of them. The front server has its own, and a test compares the two.

    /stream/<video>/        in the video's folder
    video.mp4               original.mp4
    download                original.mp4, as an attachment
    poster.jpg              the same; so are storyboard.jpg and storyboard.vtt
    master.m3u8             hls/master.m3u8
    hls/<rendition>.m3u8    the same; so is hls/<rendition>.mp4
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

_PATHS = {
    "video.mp4": "original.mp4",
    "download": "original.mp4",
    "poster.jpg": "poster.jpg",
    "storyboard.jpg": "storyboard.jpg",
    "storyboard.vtt": "storyboard.vtt",
    "master.m3u8": "hls/master.m3u8",
}
_RENDITION_FILE = re.compile(r"hls/[a-z0-9-]{1,32}\.(?:m3u8|mp4)")

# File systems take names of 255 bytes at most; the extension needs a few.
_STEM_LIMIT = 240  # bytes


@dataclass(frozen=True)
class MediaFile:
    """A media file of a video.

    :ivar path: relative to the video's folder.
    :ivar is_download: the original as an attachment, which fewer people may have than may watch.
    :ivar is_original: the original to play, which is refused if browsers cannot play it.
    """

    path: str
    is_download: bool = False
    is_original: bool = False

    @property
    def is_segmented(self) -> bool:
        """Whether players ask for it segment by segment, each by its address on this site.

        So its segments may be redirected to addresses that soon end. Of another file a browser
        would go on to use the first such address.
        """
        return self.path.startswith("hls/") and self.path.endswith(".mp4")


def media_file(name: str) -> MediaFile | None:
    """Return the file that a name in a URL stands for, or None if there is no such name."""
    path = name if _RENDITION_FILE.fullmatch(name) else _PATHS.get(name)
    if path is None:
        return None
    return MediaFile(path, is_download=name == "download", is_original=name == "video.mp4")


def content_disposition(name: str, container: str = "mp4") -> str:
    """Return the `Content-Disposition` of a download (RFC 6266, RFC 8187).

    The value is printable ASCII below 1,200 bytes, whatever the uploader called the file. The file
    name in it holds no path, no quote and no control character.

    :param container: `mp4`, `mov`, `mkv` or `webm`; replaces the extension of the name.
    """
    stem = re.sub(r"(?i)(\.(mp4|m4v|mov|mkv|webm))?$", "", name.strip())
    stem = "".join(c for c in stem if c.isprintable() and c not in '/\\:*?"<>|').strip(" .")
    encoded = stem.encode("utf-8", "ignore")[:_STEM_LIMIT]
    stem = encoded.decode("utf-8", "ignore").strip() or "video"
    ascii_stem = re.sub(r"[^A-Za-z0-9 ._-]", "_", stem)
    encoded_name = quote(f"{stem}.{container}", safe="")
    return f"attachment; filename=\"{ascii_stem}.{container}\"; filename*=UTF-8''{encoded_name}"
