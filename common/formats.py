"""Formats of files that are accepted: the setting `ACCEPT_FORMATS`.

By default all of these are accepted. Browsers can mostly play MP4 and QuickTime files as they are.
A video in another format can be watched once it has a rendition.

    mp4     MP4 and QuickTime files with H.264, HEVC, AV1 or VP9
    mov     QuickTime files as above, and ProRes in QuickTime or MP4 files
    mkv     Matroska
    webm    WebM
"""

import re

from common.settings import Environment, SettingsError

FORMATS = ("mp4", "mov", "mkv", "webm")
DEFAULT = frozenset(FORMATS)


def read_formats(environment: Environment) -> frozenset[str]:
    """Return the value of `ACCEPT_FORMATS`: words of `FORMATS`, separated by commas or blanks.

    :raises SettingsError: there is another word, or none.
    """
    value = environment.text("ACCEPT_FORMATS", ",".join(FORMATS))
    words = [word for word in re.split(r"[\s,]+", value.lower()) if word]
    if not words or not set(words) <= set(FORMATS):
        raise SettingsError.of(
            "ACCEPT_FORMATS", value, f"some of {', '.join(FORMATS)}, with commas"
        )
    return frozenset(words)


def in_words(formats: frozenset[str]) -> str:
    """Return formats as people read them: `MP4`, `MP4 or MKV`, `MP4, MOV or MKV`."""
    names = [name.upper() if name != "webm" else "WebM" for name in FORMATS if name in formats]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def accepted_by_browsers(formats: frozenset[str]) -> str:
    """Return the `accept` of a file field (HTML, 4.10.5.1.17)."""
    accepted = [one for name in FORMATS if name in formats for one in _ACCEPTED[name].split(",")]
    return ",".join(dict.fromkeys(accepted))


_ACCEPTED = {
    "mp4": "video/mp4,.mp4,.m4v,video/quicktime,.mov",
    "mov": "video/quicktime,.mov",
    "mkv": "video/x-matroska,video/matroska,.mkv",
    "webm": "video/webm,.webm",
}
