"""Recognize files that are not MP4 by their first bytes."""

import re

from common.translation import gettext, gettext_noop
from upload_service.inspect.errors import NotAVideo

HEAD = 4096  # bytes from the start of a file that are enough to recognize it
_MAGIC: tuple[tuple[int, bytes | tuple[bytes, ...], str, str], ...] = (
    # Offset, bytes, name of the format, and the kind of thing that it is.
    (0, b"\x89PNG\r\n\x1a\n", "PNG", "picture"),
    (0, b"\xff\xd8\xff", "JPEG", "picture"),
    (0, (b"GIF87a", b"GIF89a"), "GIF", "picture"),
    (8, b"WEBP", "WebP", "picture"),
    (0, (b"II*\0", b"MM\0*"), "TIFF", "picture"),
    (0, b"8BPS", "Photoshop", "picture"),
    (14, b"(\0\0\0", "BMP", "picture"),
    (8, b"AVI ", "AVI", "video"),
    (0, b"\x1aE\xdf\xa3", "Matroska, WebM", "video"),
    (0, b"FLV\x01", "Flash", "video"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "Windows Media", "video"),
    (0, b".RMF", "RealMedia", "video"),
    (0, b"\0\0\x01\xba", "MPEG program stream", "video"),
    (0, b"\0\0\x01\xb3", "MPEG", "video"),
    (0, b"\0\0\0\x01\x67", "H.264", "video"),
    (0, b"\x06\x0e+4", "MXF", "video"),
    (0, b"OggS", "Ogg", "file"),
    (8, b"WAVE", "WAV", "audio file"),
    (0, b"fLaC", "FLAC", "audio file"),
    (0, b"ID3", "MP3", "audio file"),
    (0, b"FORM", "AIFF", "audio file"),
    (0, b"%PDF-", "PDF", "document"),
    (0, b"{\\rtf", "RTF", "document"),
    (0, (b"PK\x03\x04", b"PK\x05\x06"), "ZIP", "archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip", "archive"),
    (0, b"Rar!", "RAR", "archive"),
    (0, b"\x1f\x8b", "gzip", "archive"),
    (257, b"ustar", "tar", "archive"),
    (0, b"\x7fELF", "Linux", "program"),
    (0, b"MZ\x90\0", "Windows", "program"),
    (0, b"SQLite format 3\0", "SQLite", "database"),
)

_TEXTS: tuple[tuple[str, str], ...] = (
    (r"ffconcat\b", gettext_noop("a list of other files (ffconcat)")),
    (r"#EXTM3U", gettext_noop("an HLS playlist")),
    (
        r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!doctype svg[^>]*>\s*)?<svg\b",
        gettext_noop("an SVG picture"),
    ),
    (r"(<!--.*?-->\s*)*(<!doctype html|<html|<head|<body|<script)\b", gettext_noop("an HTML page")),
    (r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<mpd\b", gettext_noop("a DASH playlist")),
    (r"<\?xml\b", gettext_noop("an XML document")),
    (r"WEBVTT\b", gettext_noop("a subtitle file")),
)

_IMAGE_BRANDS = {
    **dict.fromkeys((b"heic", b"heix"), "HEIC"),
    **dict.fromkeys((b"heif", b"mif1", b"msf1"), "HEIF"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    b"crx ": "Canon raw",
}

_TS_PACKET = 188
_AUDIO_FRAMES = (b"\xfb", b"\xfa", b"\xf3", b"\xf2", b"\xf1", b"\xf9")
_CONTROLS = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def error_for_signature(head: bytes) -> NotAVideo:
    """Return the error for a file that does not begin like an MP4: it names what the file is.

    :param head: its first bytes, up to `HEAD`.
    """
    if not head:
        return NotAVideo(gettext("This file is empty. Choose a video."))
    if not head.strip(b"\0"):
        return NotAVideo(
            gettext(
                "This file begins with nothing but zeros. Get a whole copy of it and upload it "
                "again."
            )
        )
    for offset, magic, name, kind in _MAGIC:
        if head.startswith(magic, offset) and (offset != 8 or head.startswith(b"RIFF")):
            return _sentence(name, kind)
    if head[::_TS_PACKET][:3] == b"GGG":
        return _sentence("MPEG transport stream", "video")
    if head[0] == 0xFF and head[1:2] in _AUDIO_FRAMES:
        return _sentence("MP3, AAC", "audio file")
    return _error_for_text(head) or NotAVideo(
        gettext("This is not an MP4 file. Convert it to MP4 and upload it again.")
    )


def error_for_image(brand: bytes) -> NotAVideo | None:
    """Return an error if a file's major brand is that of images in the same container."""
    name = _IMAGE_BRANDS.get(brand)
    return _sentence(name, "picture") if name else None


def _error_for_text(head: bytes) -> NotAVideo | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", errors="replace")
    elif _CONTROLS.search(head):
        return None
    else:
        text = head.decode("utf-8", errors="replace")
    text = text.lstrip("\ufeff \t\r\n")
    for pattern, name in _TEXTS:
        if re.match(pattern, text, re.IGNORECASE | re.DOTALL):
            return NotAVideo(
                gettext("This is not a video: it is %(name)s. Choose a video.", name=gettext(name))
            )
    return NotAVideo(gettext("This is not a video: it is text. Choose a video."))


_KINDS = {
    "picture": gettext_noop("This is not a video: it is a picture (%(format)s). Choose a video."),
    "video": gettext_noop(
        "This is not an MP4 file: it is a video of another format (%(format)s). Convert it to MP4 "
        "and upload it again."
    ),
    "file": gettext_noop(
        "This is not an MP4 file: it is a file of another format (%(format)s). Choose a video."
    ),
    "audio file": gettext_noop(
        "This is not a video: it is an audio file (%(format)s). Choose a video."
    ),
    "document": gettext_noop("This is not a video: it is a document (%(format)s). Choose a video."),
    "archive": gettext_noop("This is not a video: it is an archive (%(format)s). Choose a video."),
    "program": gettext_noop("This is not a video: it is a program (%(format)s). Choose a video."),
    "database": gettext_noop("This is not a video: it is a database (%(format)s). Choose a video."),
}


def _sentence(name: str, kind: str) -> NotAVideo:
    return NotAVideo(gettext(_KINDS[kind], format=name))
