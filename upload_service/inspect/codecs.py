"""Which codecs are accepted in MP4 files, and their names in RFC 6381.

`VIDEO_CODECS` and `AUDIO_CODECS` are what browsers play from an MP4 as it is, some of them not in
every browser. `CONVERTIBLE` is accepted too where the setting `ACCEPT_FORMATS` has `mov`.

A name (RFC 6381, 3.3) is the four letters of the sample entry, then what the codec's own binding
adds from its configuration.
"""

import re
from collections.abc import Callable, Mapping

from common.translation import gettext
from upload_service.inspect.errors import NotAVideo, damaged
from upload_service.inspect.mp4.boxes import unpack

ConfigBoxes = Mapping[bytes, bytes]
"""The contents of the boxes in a sample entry, by their four letters."""


CodecName = Callable[[str, ConfigBoxes], str]
"""Makes the RFC 6381 name from the four letters and the boxes of the sample entry.

It raises KeyError for a box that is missing, without which a decoder cannot start.
"""


def name_codec(kind: bytes, boxes: ConfigBoxes, *, track: str, convertible: bool = False) -> str:
    """Return the RFC 6381 name of a codec that browsers play, or that can be converted.

    :param kind: the four letters of the sample entry.
    :param track: "video" or "audio".
    :param convertible: whether codecs are accepted that no browser plays.
    :raises NotAVideo: no browser plays it, it is encrypted, or its configuration is missing.
    """
    letters = kind.decode("latin-1")
    if letters in ENCRYPTED:
        raise NotAVideo(
            gettext(
                "This file is encrypted with copy protection (DRM). "
                "Choose one that plays without a key."
            )
        )
    name = (VIDEO_CODECS if track == "video" else AUDIO_CODECS).get(letters)
    if name is None and convertible:
        name = CONVERTIBLE[track].get(letters)
    if name is None:
        raise _unsupported(track, KNOWN_BY_NAME.get(letters) or _spell(letters))
    try:
        return name(letters, boxes)
    except KeyError as error:
        raise damaged(no_decoder(track)) from error


def is_playable(video_codec: str, audio_codec: str | None) -> bool:
    """Tell whether most browsers play these codecs from an MP4 as they are.

    Few browsers play HEVC, and on some machines only. Fewer play H.264 with more than eight bits or
    with more chroma than 4:2:0 (its profiles High 10, 4:2:2 and 4:4:4).
    """
    letters, _, rest = video_codec.partition(".")
    if letters not in _IN_MOST_BROWSERS or (
        letters.startswith("avc") and rest[:2] in _UNCOMMON_PROFILES
    ):
        return False
    return audio_codec is None or audio_codec not in CONVERTIBLE["audio"]


def no_decoder(track: str) -> str:
    """Return the clause about a "video" or "audio" track that cannot be decoded."""
    if track == "video":
        return gettext("the video does not say how to decode it")
    return gettext("the audio does not say how to decode it")


def _unsupported(track: str, name: str) -> NotAVideo:
    if track == "video":
        return NotAVideo(
            gettext(
                "The video of this file is %(codec)s, which browsers cannot play. Convert it to "
                "H.264 in an MP4 file and upload it again.",
                codec=name,
            )
        )
    return NotAVideo(
        gettext(
            "The audio of this file is %(codec)s, which browsers cannot play. Convert it to AAC "
            "in an MP4 file and upload it again.",
            codec=name,
        )
    )


def _spell(letters: str) -> str:
    safe = "".join(c if c.isascii() and (c.isalnum() or c in " .-_") else "?" for c in letters)
    return gettext("an unknown kind (“%(letters)s”)", letters=safe.strip() or "?")


def _plain(letters: str, _boxes: ConfigBoxes) -> str:
    return letters


def _avc(letters: str, boxes: ConfigBoxes) -> str:
    """ISO/IEC 14496-15, 5.3.3.1.2: profile, constraints and level, in hexadecimal."""
    version, profile, constraints, level, _, sets = unpack(">6B", boxes[b"avcC"])
    if version != 1 or (letters == "avc1" and not sets & 0x1F):
        raise damaged(no_decoder("video"))
    return f"{letters}.{profile:02x}{constraints:02x}{level:02x}"


def _hevc(letters: str, boxes: ConfigBoxes) -> str:
    """ISO/IEC 14496-15, annex E.3."""
    first, compatible, *constraints, level = unpack(">xBI7B", boxes[b"hvcC"])
    space = ("", "A", "B", "C")[first >> 6]
    tier = "H" if first & 0x20 else "L"
    reversed_flags = int(f"{compatible:032b}"[::-1], 2)
    while constraints and not constraints[-1]:
        constraints.pop()
    named = [letters, f"{space}{first & 0x1F}", f"{reversed_flags:X}", f"{tier}{level}"]
    return ".".join(named + [f"{byte:X}" for byte in constraints])


def _av1(letters: str, boxes: ConfigBoxes) -> str:
    """AV1 Codec ISO Media File Format Binding, section 5."""
    first, second = unpack(">xBB", boxes[b"av1C"])
    profile, level = first >> 5, first & 0x1F
    tier = "H" if second & 0x80 else "M"
    deep, deeper = second & 0x40, second & 0x20
    bits = 8 if not deep else 12 if deeper and profile == 2 else 10
    return f"{letters}.{profile}.{level:02d}{tier}.{bits:02d}"


def _vp9(letters: str, boxes: ConfigBoxes) -> str:
    """VP Codec ISO Media File Format Binding, "Codecs Parameter String"."""
    profile, level, third = unpack(">4x3B", boxes[b"vpcC"])
    return f"{letters}.{profile:02d}.{level:02d}.{third >> 4:02d}"


def _mpeg_audio(letters: str, boxes: ConfigBoxes) -> str:
    """RFC 6381, 3.3: the object type of ISO/IEC 14496-1, then for MPEG-4 that of 14496-3."""
    found = _ESDS.match(boxes.get(b"esds", b""))
    if not found:
        return letters
    kind = found[1][0]
    if kind not in MPEG_AUDIO_TYPES:
        raise _unsupported("audio", KNOWN_BY_NAME.get(f"mp4a.{kind:02x}") or f"mp4a.{kind:02X}")
    if kind != _MPEG4_AUDIO:
        return f"{letters}.{kind:02X}"
    specific = int.from_bytes(found[2] or b"\0\0", "big")
    object_type = specific >> 11
    if object_type == 31:  # The escape of ISO/IEC 14496-3, 1.6.2.1.
        object_type = 32 + (specific >> 5 & 0x3F)
    return f"{letters}.40.{object_type}" if object_type else letters


_MPEG4_AUDIO = 0x40

# ISO/IEC 14496-1, 7.2.6; 14496-14, 3.1.2, leaves out what is optional. After the box's version: the
# ES descriptor, in it the decoder's configuration with the object type, in it the codec's own. Each
# is a tag, a size of up to four bytes of seven bits, and the content.
_ESDS = re.compile(
    rb".{4}\x03[\x80-\xff]{0,3}[\0-\x7f].{2}\0"
    rb"\x04[\x80-\xff]{0,3}[\0-\x7f](.).{12}"
    rb"(?:\x05[\x80-\xff]{0,3}[\0-\x7f](..))?",
    re.DOTALL,
)

VIDEO_CODECS: Mapping[str, CodecName] = {
    "avc1": _avc,  # Every browser.
    "avc3": _avc,
    "av01": _av1,  # Every browser; Safari where the hardware can.
    "vp09": _vp9,  # Every browser.
    "hvc1": _hevc,  # Safari; Chrome, Edge and Firefox where the machine can.
    "hev1": _hevc,
}

AUDIO_CODECS: Mapping[str, CodecName] = {
    "mp4a": _mpeg_audio,  # AAC and MP3: every browser.
    **dict.fromkeys((".mp3", "Opus", "fLaC"), _plain),
    # Safari, and Edge where the machine can; others play no audio.
    **dict.fromkeys(("ac-3", "ec-3"), _plain),
    "alac": _plain,  # Safari.
    # PCM, as cameras write it: Safari and Chrome.
    **dict.fromkeys(("sowt", "twos", "lpcm", "in24", "ipcm", "ulaw", "alaw"), _plain),
}

_IN_MOST_BROWSERS = frozenset({"avc1", "avc3", "av01", "vp09"})
_UNCOMMON_PROFILES = frozenset({"6e", "7a", "f4", "2c"})  # ISO/IEC 14496-10, annex A

CONVERTIBLE: Mapping[str, Mapping[str, CodecName]] = {
    # ProRes, from Proxy to 4444 XQ.
    "video": dict.fromkeys(("apco", "apcs", "apcn", "apch", "ap4h", "ap4x"), _plain),
    "audio": dict.fromkeys(("in32", "fl32"), _plain),
}
"""What the transcode service decodes and no browser plays, by kind of track."""

MPEG_AUDIO_TYPES = frozenset({0x40, 0x66, 0x67, 0x68, 0x69, 0x6B})
"""Object types of AAC (MPEG-4 and MPEG-2) and MP3, out of all that `mp4a` can hold."""

ENCRYPTED = frozenset({"encv", "enca", "drmi", "drms"})
"""Sample entries whose content is encrypted (ISO/IEC 14496-12, 8.12)."""

_REJECTED = {
    "MPEG-4 part 2": "mp4v",
    "DivX": "DIVX",
    "Xvid": "XVID",
    "H.263": "s263,h263,H263",
    "ProRes": "apco,apcs,apcn,apch,ap4h,ap4x",
    "ProRes RAW": "aprn",
    "DNxHD": "AVdn",
    "DNxHR": "AVdh",
    "CineForm": "CFHD",
    "Motion JPEG": "jpeg,mjpa,mjpb,MJPG",
    "Motion JPEG 2000": "mjp2",
    "PNG": "png ",
    "GIF": "gif ",
    "QuickTime Animation": "rle ",
    "uncompressed": "raw ,2vuy,v210",
    "Sorenson Video": "SVQ1",
    "Sorenson Video 3": "SVQ3",
    "Cinepak": "cvid",
    "DV": "dvc ,dvcp,dv5n,dv5p",
    "DVCPRO HD": "dvh5,dvhp",
    "HDV": "hdv2",
    "MPEG IMX": "mx5p",
    "MPEG-2": "m2v1",
    "VC-1": "vc-1",
    "VP8": "vp08",
    "VVC": "vvc1,vvi1",
    "Dolby Vision": "dvh1,dvhe",
    "Canon raw": "CRAW",
    "MagicYUV": "M8RG",
    "AMR": "samr,sawb",
    "DTS": "dtsc,dtsh,dtsl,mp4a.a9",
    "Dolby TrueHD": "mlpa",
    "Dolby AC-4": "ac-4",
    "MPEG-H": "mhm1",
    "QDesign Music": "QDM2",
    "IMA ADPCM": "ima4",
    "32-bit PCM": "in32",
    "floating-point PCM": "fl32",
    "Vorbis": "mp4a.dd",
    "QCELP": "mp4a.e1",
}
KNOWN_BY_NAME = {letters: name for name, kinds in _REJECTED.items() for letters in kinds.split(",")}
"""Names of codecs that are rejected, for the sentence that people read."""
