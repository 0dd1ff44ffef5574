"""Reading of caption files: WebVTT or SRT in, WebVTT with cues alone out.

Files are WebVTT (https://www.w3.org/TR/webvtt1/) or SRT, in any of the encodings that editors
write. The result has times, placement, and text with the few tags that WebVTT knows. Styles,
regions and comments are dropped, and everything else is escaped. So it cannot end a cue, load
another file, or be taken for a page.
"""

import re
from collections.abc import Iterable, Iterator

from common.errors import Unprocessable
from common.translation import gettext
from common.webvtt import webvtt_time

_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CUE_LIMIT = 20_000  # per file; a long film has about 2,000

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:[ \t]+(.*))?")
_SETTINGS = {
    "vertical": re.compile(r"rl|lr"),
    "line": re.compile(r"-?\d{1,3}(?:\.\d{1,3})?%?(?:,(?:start|center|end))?"),
    "position": re.compile(
        r"\d{1,3}(?:\.\d{1,3})?%(?:,(?:line-left|line-right|center|start|end))?"
    ),
    "size": re.compile(r"\d{1,3}(?:\.\d{1,3})?%"),
    "align": re.compile(r"start|center|end|left|right"),
}

_PIECE = re.compile(r"<(/?[A-Za-z][^<>]*|[\d:.]+)>|&(?:amp|lt|gt|nbsp|lrm|rlm);|[<>&]")
_TAG = re.compile(
    r"/?(?:[biuc]|ruby|rt)|/(?:v|lang)|c(?:\.[A-Za-z_]{1,32}){1,4}|lang [A-Za-z0-9-]{2,35}"
    r"|(?:\d{2,4}:)?[0-5]\d:[0-5]\d\.\d{3}"
)
# The bounds keep the time linear in the length of the file.
_SPEAKER = re.compile(r"v(?:\.[A-Za-z_]{1,32}){0,4}[ \t]{1,8}([^&]{1,100})")
_PLACEMENT = re.compile(r"\{\\[^{}]*\}")  # of SubStation, left over in many SRT files
_NOT_ALLOWED = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")  # all of Cc and Cs but tab
_ESCAPES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


class NotCaptions(Unprocessable):
    """The file holds no captions that could be shown."""


def read_captions(data: bytes) -> str:
    """Return the captions of a file as WebVTT.

    :raises NotCaptions: there is no cue in it, or it is not a text.
    """
    lines = _decoded(data).split("\n")
    cues = list(_cues(lines))
    if not cues:
        raise NotCaptions(
            gettext("This is not a WebVTT or SRT file: no line of it has a time and a text.")
        )
    if len(cues) > _CUE_LIMIT:
        raise NotCaptions(
            gettext("A file of captions has %(cue_limit)s entries at most.", cue_limit=_CUE_LIMIT)
        )
    return "WEBVTT\n\n" + "\n\n".join(cues) + "\n"


def _decoded(data: bytes) -> str:
    """Decode by the byte order mark, or as UTF-8, or as Windows-1252."""
    marked = [encoding for mark, encoding in _BYTE_ORDER_MARKS.items() if data.startswith(mark)]
    try:
        text = data.decode(marked[0] if marked else "utf-8")
    except UnicodeDecodeError:
        text = data.decode(marked[0] if marked else "cp1252", errors="replace")
    if "\0" in text:
        raise NotCaptions(gettext("This is not a text file, so it holds no captions."))
    return re.sub(r"\r\n?", "\n", text)


def _cues(lines: Iterable[str]) -> Iterator[str]:
    """Return each block of lines that is a cue: one with a time and a text."""
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
            continue
        if (cue := _cue(block)) is not None:
            yield cue
        block = []


def _cue(block: list[str]) -> str | None:
    # A name or number may come before the time. STYLE, REGION and NOTE have none.
    for count, line in enumerate(block[:2]):
        if timing := _TIMING.fullmatch(line):
            start, end = _time(timing.groups()[:4]), _time(timing.groups()[4:8])
            text = [t for t in map(_text, block[count + 1 :]) if t]
            if start is None or end is None or end <= start or not text:
                return None
            head = f"{webvtt_time(start)} --> {webvtt_time(end)}{_settings(timing[9] or '')}"
            return "\n".join([head, *text])
    return None


def _time(parts: tuple[str | None, ...]) -> int | None:
    """Return milliseconds, or None for minutes or seconds above 59."""
    hours, minutes, seconds = (int(part or 0) for part in parts[:3])
    if minutes > 59 or seconds > 59:
        return None
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((parts[3] or "0").ljust(3, "0"))


def _settings(text: str) -> str:
    kept = {}
    for word in text.split():
        name, _, value = word.partition(":")
        if name in _SETTINGS and _SETTINGS[name].fullmatch(value):
            kept[name] = value
    return "".join(f" {name}:{value}" for name, value in kept.items())


def _text(line: str) -> str:
    text = _NOT_ALLOWED.sub("", _PLACEMENT.sub("", line))
    return _PIECE.sub(_escaped, text).strip()


def _escaped(piece: re.Match[str]) -> str:
    if piece[1] is None:
        return _ESCAPES.get(piece[0], piece[0])
    if _TAG.fullmatch(piece[1]):
        return piece[0]
    speaker = _SPEAKER.fullmatch(piece[1])
    return f"<v {speaker[1].strip()}>" if speaker else ""
