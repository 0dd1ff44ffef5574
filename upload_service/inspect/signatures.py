"""Recognize files that are not MP4 by their first bytes."""

import re

from upload_service.inspect.errors import NotAVideo

HEAD = 4096
"""Bytes from the start of a file that are enough to recognize it."""

_MAGIC: tuple[tuple[int, bytes | tuple[bytes, ...], str, str], ...] = (
    # Offset, bytes, what it is, and the kind of thing that is.
    (0, b"\x89PNG\r\n\x1a\n", "a PNG", "picture"),
    (0, b"\xff\xd8\xff", "a JPEG", "picture"),
    (0, (b"GIF87a", b"GIF89a"), "a GIF", "picture"),
    (8, b"WEBP", "a WebP", "picture"),
    (0, (b"II*\0", b"MM\0*"), "a TIFF", "picture"),
    (0, b"8BPS", "a Photoshop", "picture"),
    (14, b"(\0\0\0", "a BMP", "picture"),
    (8, b"AVI ", "an AVI", "video"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM", "video"),
    (0, b"FLV\x01", "a Flash", "video"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "a Windows Media", "video"),
    (0, b".RMF", "a RealMedia", "video"),
    (0, b"\0\0\x01\xba", "an MPEG program stream", "video"),
    (0, b"\0\0\x01\xb3", "an MPEG", "video"),
    (0, b"\0\0\0\x01\x67", "a bare H.264", "video"),
    (0, b"\x06\x0e+4", "an MXF", "video"),
    (0, b"OggS", "an Ogg", "file"),
    (8, b"WAVE", "a WAV", "audio file"),
    (0, b"fLaC", "a FLAC", "audio file"),
    (0, b"ID3", "an MP3", "audio file"),
    (0, b"FORM", "an AIFF", "audio file"),
    (0, b"%PDF-", "a PDF", "document"),
    (0, b"{\\rtf", "an RTF", "document"),
    (0, (b"PK\x03\x04", b"PK\x05\x06"), "a ZIP", "archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip", "archive"),
    (0, b"Rar!", "a RAR", "archive"),
    (0, b"\x1f\x8b", "a gzip", "archive"),
    (257, b"ustar", "a tar", "archive"),
    (0, b"\x7fELF", "a Linux", "program"),
    (0, b"MZ\x90\0", "a Windows", "program"),
    (0, b"SQLite format 3\0", "an SQLite", "database"),
)

_TEXTS: tuple[tuple[str, str], ...] = (
    (r"ffconcat\b", "a list of other files (ffconcat)"),
    (r"#EXTM3U", "an HLS playlist"),
    (r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!doctype svg[^>]*>\s*)?<svg\b", "an SVG picture"),
    (r"(<!--.*?-->\s*)*(<!doctype html|<html|<head|<body|<script)\b", "an HTML page"),
    (r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<mpd\b", "a DASH playlist"),
    (r"<\?xml\b", "an XML document"),
    (r"WEBVTT\b", "a subtitle file"),
)

_IMAGE_BRANDS = {
    **dict.fromkeys((b"heic", b"heix"), "a HEIC"),
    **dict.fromkeys((b"heif", b"mif1", b"msf1"), "a HEIF"),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF"),
    b"crx ": "a Canon raw",
}

_TS_PACKET = 188
_AUDIO_FRAMES = (b"\xfb", b"\xfa", b"\xf3", b"\xf2", b"\xf1", b"\xf9")
_CONTROLS = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def error_for_signature(head: bytes) -> NotAVideo:
    """Return the error for a file that does not begin like an MP4: it names what the file is.

    :param head: its first bytes, up to `HEAD`.
    """
    if not head:
        return NotAVideo("This file is empty. Choose an MP4 file.")
    if not head.strip(b"\0"):
        return NotAVideo(
            "This file begins with nothing but zeros. Get a whole copy of it and upload it again."
        )
    for offset, magic, name, kind in _MAGIC:
        if head.startswith(magic, offset) and (offset != 8 or head.startswith(b"RIFF")):
            return _sentence(name, kind)
    if head[::_TS_PACKET][:3] == b"GGG":
        return _sentence("an MPEG transport stream", "video")
    if head[0] == 0xFF and head[1:2] in _AUDIO_FRAMES:
        return _sentence("an MP3 or AAC", "audio file")
    return _error_for_text(head) or NotAVideo(
        "This is not an MP4 file. Convert it to MP4 and upload it again."
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
            return NotAVideo(f"This is not a video: it is {name}. Choose an MP4 file.")
    return NotAVideo("This is not a video: it is text. Choose an MP4 file.")


def _sentence(name: str, kind: str) -> NotAVideo:
    if kind == "video":
        return NotAVideo(
            f"This is not an MP4 file: it is {name} video. Convert it to MP4 and upload it again."
        )
    return NotAVideo(f"This is not an MP4 file: it is {name} {kind}. Choose an MP4 file.")
