"""A strict reader of our playlists: what RFC 8216 demands, and of Apple's rules what we promise.

It shares no code with the writer, and raises on anything that it does not know.
"""

import re
from dataclasses import dataclass, field

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
_MEDIA_TAGS = {
    "#EXT-X-VERSION",
    "#EXT-X-TARGETDURATION",
    "#EXT-X-MEDIA-SEQUENCE",
    "#EXT-X-PLAYLIST-TYPE",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    "#EXT-X-I-FRAMES-ONLY",
    "#EXT-X-MAP",
}


@dataclass
class Segment:
    """A segment: seconds, and the bytes of its file."""

    duration: float
    at: int
    size: int


@dataclass
class Media:
    """A media playlist."""

    target: int
    header: int
    only_keyframes: bool
    segments: list[Segment] = field(default_factory=list)


@dataclass
class Master:
    """A master playlist: attributes as text, without their quotes."""

    audio: list[dict[str, str]] = field(default_factory=list)
    streams: list[dict[str, str]] = field(default_factory=list)
    keyframes: list[dict[str, str]] = field(default_factory=list)


def attributes(text: str) -> dict[str, str]:
    """RFC 8216, 4.2: an attribute list, each name once."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _ATTRIBUTE.match(text, at)
        assert match, text[at:]
        assert match[1] not in found, match[1]
        found[match[1]] = match[2].strip('"')
        at = match.end()
    return found


def read_media(text: str, *, name: str) -> Media:
    """Read a media playlist whose segments are byte ranges of one file."""
    lines = _lines(text)
    assert lines[-1] == "#EXT-X-ENDLIST"
    tags: dict[str, str] = {}
    segments: list[Segment] = []
    body = lines[1:-1]
    while body and not body[0].startswith("#EXTINF"):
        tag, _, value = body.pop(0).partition(":")
        assert tag in _MEDIA_TAGS, tag
        assert tag not in tags, tag
        tags[tag] = value
    assert int(tags["#EXT-X-VERSION"]) >= 6  # EXT-X-MAP without I-FRAMES-ONLY: RFC 8216, 7
    assert tags["#EXT-X-PLAYLIST-TYPE"] == "VOD"
    header = attributes(tags["#EXT-X-MAP"])
    assert header["URI"] == f"{name}.mp4"
    size, _, at = header["BYTERANGE"].partition("@")
    assert at == "0"
    assert len(body) % 3 == 0
    for inf, span, uri in zip(body[::3], body[1::3], body[2::3], strict=True):
        assert inf.startswith("#EXTINF:")
        assert inf.endswith(",")
        assert span.startswith("#EXT-X-BYTERANGE:")
        assert uri == f"{name}.mp4"
        length, _, begin = span.partition(":")[2].partition("@")
        segments.append(Segment(float(inf[8:-1]), int(begin), int(length)))
    target = int(tags["#EXT-X-TARGETDURATION"])
    assert segments
    # RFC 8216, 4.3.3.1: rounded to whole seconds, none is longer than the target.
    assert all(0 < segment.duration < target + 0.5 for segment in segments)
    only = "#EXT-X-I-FRAMES-ONLY" in tags
    assert only or "#EXT-X-INDEPENDENT-SEGMENTS" in tags
    return Media(target, int(size), only, segments)


def read_master(text: str) -> Master:
    """Read a master playlist."""
    master = Master()
    lines = _lines(text)
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in lines
    rest = iter(lines[1:])
    for line in rest:
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-MEDIA":
            master.audio.append(attributes(value))
        elif tag == "#EXT-X-STREAM-INF":
            master.streams.append({**attributes(value), "URI": next(rest)})
        elif tag == "#EXT-X-I-FRAME-STREAM-INF":
            master.keyframes.append(attributes(value))
        else:
            assert tag in {"#EXT-X-VERSION", "#EXT-X-INDEPENDENT-SEGMENTS"}, line
    _check_master(master)
    return master


def _check_master(master: Master) -> None:
    groups = {track["GROUP-ID"] for track in master.audio}
    assert master.streams
    for stream in master.streams:
        # RFC 8216, 4.3.4.2, and Apple's HLS Authoring Specification, 9.
        assert int(stream["BANDWIDTH"]) >= int(stream["AVERAGE-BANDWIDTH"]) > 0
        assert re.fullmatch(r"avc1\.[0-9a-f]{6}(,mp4a\.40\.(2|5|29))*", stream["CODECS"])
        assert re.fullmatch(r"\d+x\d+", stream["RESOLUTION"])
        assert re.fullmatch(r"\d+\.\d{3}", stream["FRAME-RATE"])
        assert ("AUDIO" in stream) == bool(groups)
        assert stream.get("AUDIO", "audio") in groups | {"audio"}
        assert not stream["URI"].startswith(("#", "/"))
    for group in groups:
        members = [track for track in master.audio if track["GROUP-ID"] == group]
        names = [member["NAME"] for member in members]
        assert len(set(names)) == len(names)
        assert [member["DEFAULT"] for member in members].count("YES") == 1
        for member in members:
            assert member["TYPE"] == "AUDIO"
            assert member["AUTOSELECT"] == "YES"
            assert member["URI"]
    for keyframes in master.keyframes:
        assert keyframes["URI"]
        assert int(keyframes["BANDWIDTH"]) > 0
        assert "FRAME-RATE" not in keyframes  # 4.3.4.3
        assert "AUDIO" not in keyframes


def _lines(text: str) -> list[str]:
    assert text.startswith("#EXTM3U\n")
    assert text.endswith("\n")
    assert "\r" not in text
    assert not text.startswith("\ufeff")
    return [line for line in text.split("\n") if line]
