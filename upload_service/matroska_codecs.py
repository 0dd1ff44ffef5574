"""Which codecs of Matroska are taken: those that the transcode service decodes."""

from collections.abc import Sequence

from upload_service.mp4.codecs import name_codec
from upload_service.mp4.refusals import not_playable

# Codec ids (RFC 9559's registry), those of sounds by their beginnings. Where a name is told from
# the configuration: the four letters that MP4 has for the codec, and the box that it is in there.
_PICTURES = {
    "V_MPEG4/ISO/AVC": (b"avc1", b"avcC"),
    "V_MPEGH/ISO/HEVC": (b"hvc1", b"hvcC"),
    "V_AV1": (b"av01", b"av1C"),
}
_PLAIN_PICTURES = {"V_VP9": "vp9", "V_VP8": "vp8", "V_PRORES": "prores"}
_SOUNDS = {
    "A_AAC": "mp4a.40.2",
    "A_OPUS": "opus",
    "A_VORBIS": "vorbis",
    "A_MPEG/L3": "mp3",
    "A_AC3": "ac-3",
    "A_EAC3": "ec-3",
    "A_FLAC": "flac",
    "A_ALAC": "alac",
    "A_PCM/": "pcm",
}
_REFUSED = {
    "V_MPEG4/ISO/": "MPEG-4 part 2",
    "V_MPEG2": "MPEG-2",
    "V_MPEG1": "MPEG-1",
    "V_THEORA": "Theora",
    "V_MJPEG": "Motion JPEG",
    "V_MS/VFW": "an old Windows format",
    "V_QUICKTIME": "an old QuickTime format",
    "A_DTS": "DTS",
    "A_TRUEHD": "Dolby TrueHD",
    "A_MLP": "MLP",
    "A_MPEG/L2": "MP2",
    "A_MS/ACM": "an old Windows format",
}


def picture_codec(codec: str, config: bytes | None) -> str:
    """Return the name of a track's codec: as in MP4 where that is told from its configuration.

    :param codec: its `CodecID`.
    :param config: the beginning of its `CodecPrivate`, if there is one.
    :raises NotAVideo: it cannot be converted.
    """
    if codec in _PICTURES:
        letters, box = _PICTURES[codec]
        parts = {} if config is None else {box: config}
        return name_codec(letters, parts, part="picture")
    if codec in _PLAIN_PICTURES:
        return _PLAIN_PICTURES[codec]
    raise not_playable("picture", _name(codec), "H.264")


def sound_codec(codecs: Sequence[str]) -> str:
    """Return the name of the first codec that can be converted.

    :param codecs: the `CodecID`s of the tracks, at least one.
    :raises NotAVideo: there is none.
    """
    for codec in codecs:
        for beginning, name in _SOUNDS.items():
            if codec.startswith(beginning):
                return name
    raise not_playable("sound", _name(codecs[0]), "AAC")


def _name(codec: str) -> str:
    for beginning, name in _REFUSED.items():
        if codec.startswith(beginning):
            return name
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "/_-.") else "?" for c in codec[:40])
    return f'an unknown kind ("{safe or "?"}")'
