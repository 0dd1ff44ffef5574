"""Codecs by the names that people know."""

# Prefixes of codec names in files (RFC 6381) and of ffmpeg's.
_NAMES = {
    ("avc", "h264"): "H.264",
    ("hvc1", "hev1", "hevc"): "HEVC (H.265)",
    ("av01", "av1"): "AV1",
    ("vp09", "vp9"): "VP9",
    ("mp4a", "aac"): "AAC",
    ("opus",): "Opus",
    ("ac-3", "ac3"): "Dolby Digital",
    ("ec-3", "eac3"): "Dolby Digital Plus",
    ("mp3",): "MP3",
    ("flac",): "FLAC",
}


def codec_name(codec: str) -> str:
    """Return a codec as people call it; one that is not known stays as it is."""
    lower = codec.lower()
    return next((name for begins, name in _NAMES.items() if lower.startswith(begins)), codec)
