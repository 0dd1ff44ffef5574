"""Media for tests: MP4 files built box by box, and real ones made with ffmpeg.

The hand-built ones need no ffmpeg, cannot be decoded, and can be damaged in any place.
"""

import fcntl
import hashlib
import shutil
import struct
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import imageio_ffmpeg

UPRIGHT = (1, 0, 0, 1)
QUARTER_TURN = (0, 1, -1, 0)
HALF_TURN = (-1, 0, 0, -1)

FTYP_BRANDS = b"isom\0\0\2\0isomiso2avc1mp41"


def box(kind: bytes, *content: bytes) -> bytes:
    """Return a box."""
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def large_box(kind: bytes, *content: bytes) -> bytes:
    """Return a box whose size is written in 64 bits."""
    body = b"".join(content)
    return struct.pack(">I4sQ", 1, kind, 16 + len(body)) + body


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """Return a box with a version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def words(*values: int) -> bytes:
    """Return 32-bit whole numbers."""
    return struct.pack(f">{len(values)}I", *values)


def table(kind: bytes, entries: Sequence[Sequence[int]], *, announced: int | None = None) -> bytes:
    """Return a table of 32-bit entries, announcing another number of them if asked."""
    count = len(entries) if announced is None else announced
    return full_box(kind, 0, 0, words(count), *(words(*entry) for entry in entries))


def video_entry(
    kind: bytes = b"avc1",
    *parts: bytes,
    width: int = 640,
    height: int = 360,
) -> bytes:
    """Return a visual sample entry; `avc1` gets a configuration if it is given no parts."""
    if not parts and kind in (b"avc1", b"avc3"):
        parts = (AVC_CONFIG,)
    fields = struct.pack(">6xH16xHHII4xH32xHh", 1, width, height, 72 << 16, 72 << 16, 1, 24, -1)
    return box(kind, fields, *parts)


def audio_entry(kind: bytes = b"mp4a", *parts: bytes) -> bytes:
    """Return an audio sample entry; `mp4a` gets the configuration of AAC-LC by default."""
    if not parts and kind == b"mp4a":
        parts = (esds(0x40, b"\x11\x90"),)
    return box(kind, struct.pack(">6xH8xHH4xI", 1, 2, 16, 48_000 << 16), *parts)


def esds(object_type: int, specific: bytes = b"") -> bytes:
    """Return the descriptor that says what `mp4a` holds."""
    tail = bytes([5, len(specific)]) + specific if specific else b""
    decoder = bytes([object_type, 0x15]) + bytes(11) + tail
    config = b"\0\1\0" + bytes([4, 0x80, 0x80, len(decoder)]) + decoder
    return full_box(b"esds", 0, 0, bytes([3, 0x80, len(config)]) + config)


AVC_CONFIG = box(
    b"avcC", bytes.fromhex("01640 01fffe1 0004 67640 01f 01 0002 68ee".replace(" ", ""))
)


@dataclass(frozen=True)
class TrackSpec:
    """A track to build.

    :ivar durations: pairs of a count and a duration in `timescale`, one sample each.
    :ivar header_ms: what the headers say, whatever the samples do. None: the truth.
    :ivar edits: pairs of a duration in milliseconds and a time in `timescale`.
    :ivar tables: boxes to put in place of those of the sample table, by kind; empty leaves one out.
    :ivar wide: 64-bit times and chunk offsets.
    """

    handler: bytes = b"vide"
    entry: bytes = field(default_factory=video_entry)
    timescale: int = 12_800
    durations: Sequence[tuple[int, int]] = ((50, 512),)
    sample_size: int = 20
    per_chunk: int = 5
    id: int = 1
    enabled: bool = True
    header_ms: int | None = None
    display_size: tuple[int, int] = (640, 360)
    matrix: tuple[int, int, int, int] = UPRIGHT
    edits: Sequence[tuple[int, int]] = ()
    tables: Mapping[bytes, bytes] = field(default_factory=dict)
    wide: bool = False
    fragmented: bool = False

    @property
    def count(self) -> int:
        """How many samples there are."""
        return sum(count for count, _ in self.durations)

    @property
    def data(self) -> bytes:
        """The samples themselves, which decode to nothing."""
        return bytes(self.count * self.sample_size)


def audio_track(**changes: object) -> TrackSpec:
    """Return an AAC track of two seconds."""
    track = TrackSpec(
        handler=b"soun",
        entry=audio_entry(),
        timescale=48_000,
        durations=((94, 1024),),
        display_size=(0, 0),
        id=2,
    )
    return replace(track, **changes)  # type: ignore[arg-type]


def mp4(
    *tracks: TrackSpec,
    index_first: bool = True,
    ftyp: bytes | None = FTYP_BRANDS,
    between: bytes = b"",
    after: bytes = b"",
    mdat: str = "plain",
    movie_parts: bytes = b"",
) -> bytes:
    """Return an MP4 file; without tracks, one picture track of 50 frames in two seconds.

    :param between: boxes between the first and the second part.
    :param mdat: "plain", "large" for a 64-bit size, or "open" for one that runs to the end.
    :param movie_parts: more boxes of the movie box.
    """
    tracks = tracks or (TrackSpec(),)
    start = box(b"ftyp", ftyp) if ftyp is not None else b""
    data = b"".join(track.data for track in tracks)
    if mdat == "open":
        media = struct.pack(">I4s", 0, b"mdat") + data
    else:
        media = (large_box if mdat == "large" else box)(b"mdat", data)
    header = len(media) - len(data)
    if index_first:
        before = len(start) + len(_moov(tracks, 0, movie_parts)) + len(between)
        return start + _moov(tracks, before + header, movie_parts) + between + media + after
    return start + media + between + _moov(tracks, len(start) + header, movie_parts) + after


def fragmented_mp4(
    *tracks: TrackSpec,
    fragments: int = 4,
    own_durations: bool = True,
    data_at_moof: bool = True,
    announced: int | None = None,
    after: bytes = b"",
) -> bytes:
    """Return a fragmented MP4 file, each fragment as long as its tracks' `durations`.

    :param own_durations: samples give their durations, rather than the defaults of `trex`.
    :param data_at_moof: offsets count from the fragment's start, rather than from the file's.
    :param announced: the number of samples that every run announces.
    """
    tracks = tracks or (TrackSpec(),)
    trex = [
        full_box(b"trex", 0, 0, words(t.id, 1, t.durations[0][1], t.sample_size, 0)) for t in tracks
    ]
    empty = tuple(replace(track, fragmented=True) for track in tracks)
    whole = bytearray(box(b"ftyp", b"iso6\0\0\2\0iso6mp41"))
    whole += _moov(empty, 0, box(b"mvex", *trex))
    size = len(_moof(tracks, 0, 0, 0, own_durations, data_at_moof, announced))
    for number in range(fragments):
        at = 0 if data_at_moof else len(whole)
        whole += _moof(tracks, number, size + 8, at, own_durations, data_at_moof, announced)
        whole += box(b"mdat", *(track.data for track in tracks))
    return bytes(whole + after)


def nested(kind: bytes, depth: int) -> bytes:
    """Return boxes within boxes."""
    sizes = range(8 * depth, 0, -8)
    return b"".join(struct.pack(">I4s", size, kind) for size in sizes)


def _moof(
    tracks: Sequence[TrackSpec],
    number: int,
    data_at: int,
    moof_at: int,
    own_durations: bool,
    data_at_moof: bool,
    announced: int | None,
) -> bytes:
    parts = [full_box(b"mfhd", 0, 0, words(number + 1))]
    for track in tracks:
        samples = [(delta, track.sample_size) for n, delta in track.durations for _ in range(n)]
        if data_at_moof:
            header = full_box(b"tfhd", 0, 0x20000, words(track.id))
        else:
            header = full_box(b"tfhd", 0, 0x1, words(track.id), struct.pack(">Q", moof_at))
        count = len(samples) if announced is None else announced
        if own_durations:
            entries = b"".join(words(*sample) for sample in samples)
            run = full_box(b"trun", 0, 0x301, words(count, data_at), entries)
        else:
            run = full_box(b"trun", 0, 0x1, words(count, data_at))
        parts.append(box(b"traf", header, run))
        data_at += len(track.data)
    return box(b"moof", *parts)


def _moov(tracks: Sequence[TrackSpec], data_at: int, movie_parts: bytes) -> bytes:
    longest = max(_ms(track) for track in tracks)
    matrix = _matrix(UPRIGHT)
    times = words(0, 0, 1000, longest)
    header = full_box(b"mvhd", 0, 0, times, words(1 << 16), bytes(12), matrix, bytes(24), words(9))
    traks = []
    for track in tracks:
        traks.append(_trak(track, data_at))
        data_at += 0 if track.fragmented else len(track.data)
    return box(b"moov", header, *traks, movie_parts)


def _trak(track: TrackSpec, data_at: int) -> bytes:
    version = int(track.wide)
    display_size = [side << 16 for side in track.display_size]
    ticks = _ms(track) * track.timescale // 1000
    if track.wide:
        times = struct.pack(">QQIIQ", 0, 0, track.id, 0, _ms(track))
        clock = struct.pack(">QQIQI", 0, 0, track.timescale, ticks, 0)
    else:
        times = words(0, 0, track.id, 0, _ms(track) & 0xFFFFFFFF)
        clock = words(0, 0, track.timescale, ticks & 0xFFFFFFFF, 0)
    placement = bytes(16) + _matrix(track.matrix) + words(*display_size)
    tkhd = full_box(b"tkhd", version, int(track.enabled), times, placement)
    hdlr = full_box(b"hdlr", 0, 0, words(0), track.handler, bytes(13))
    dinf = box(b"dinf", full_box(b"dref", 0, 0, words(1), full_box(b"url ", 0, 1)))
    parts = [tkhd]
    if track.edits:
        entry = ">Qqi" if track.wide else ">Iii"
        edits = b"".join(struct.pack(entry, *edit, 1 << 16) for edit in track.edits)
        parts.append(box(b"edts", full_box(b"elst", version, 0, words(len(track.edits)), edits)))
    minf = box(b"minf", dinf, _stbl(track, data_at))
    parts.append(box(b"mdia", full_box(b"mdhd", version, 0, clock), hdlr, minf))
    return box(b"trak", *parts)


def _stbl(track: TrackSpec, data_at: int) -> bytes:
    count = 0 if track.fragmented else track.count
    chunks = -(-count // track.per_chunk)
    offsets = [data_at + i * track.per_chunk * track.sample_size for i in range(chunks)]
    runs = [(1, min(track.per_chunk, count), 1)] if count else []
    if chunks > 1 and count % track.per_chunk:
        runs.append((chunks, count % track.per_chunk, 1))
    boxes = {
        b"stsd": full_box(b"stsd", 0, 0, words(1), track.entry),
        b"stts": table(b"stts", () if track.fragmented else track.durations),
        b"stsz": full_box(b"stsz", 0, 0, words(0, count), words(track.sample_size) * count),
        b"stsc": table(b"stsc", runs),
        b"stco": table(b"stco", [(offset,) for offset in offsets]),
    }
    if track.wide:
        packed = struct.pack(f">{chunks}Q", *offsets)
        boxes[b"stco"] = full_box(b"co64", 0, 0, words(chunks), packed)
    boxes.update(track.tables)
    return box(b"stbl", *boxes.values())


def _ms(track: TrackSpec) -> int:
    if track.header_ms is not None:
        return track.header_ms
    return sum(count * delta for count, delta in track.durations) * 1000 // track.timescale


def _matrix(turn: tuple[int, int, int, int]) -> bytes:
    a, b, c, d = (value << 16 for value in turn)
    return struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)


_VIDEO = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2")
_AUDIO = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2")
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25")
_B_FRAMES = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-pix_fmt", "yuv420p")
_AAC = ("-c:a", "aac")
_VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
_FRAGMENTS = ("-movflags", "empty_moov+default_base_moof+frag_keyframe")

RECIPES: dict[str, tuple[str, ...]] = {
    "twelve-seconds.mp4": (
        *("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=12"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=12"),
        *(*_H264, *_AAC, "-movflags", "+faststart"),
    ),
    "two-heights.mp4": (
        *("-f", "lavfi", "-i", "testsrc2=size=456x256:rate=10:duration=2"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2"),
        *(*_H264, *_AAC, "-movflags", "+faststart"),
    ),
    # For browsers, which draw each picture without a graphics card.
    "twelve-seconds-slow.mp4": (
        *("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=10:duration=12"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=12"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10"),
        *(*_AAC, "-movflags", "+faststart"),
    ),
    "one-second.mp4": (
        *("-f", "lavfi", "-i", "testsrc2=size=128x72:rate=10:duration=1"),
        *(*_H264, "-movflags", "+faststart"),
    ),
    "one-minute.mp4": (
        *("-f", "lavfi", "-i", "testsrc2=size=854x480:rate=5:duration=60"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=60"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10"),
        *(*_AAC, "-movflags", "+faststart"),
    ),
    "index-first.mp4": (*_VIDEO, *_AUDIO, *_B_FRAMES, *_AAC, "-movflags", "+faststart"),
    "index-last.mp4": (*_VIDEO, *_AUDIO, *_H264, *_AAC),
    "fragmented.mp4": (*_VIDEO, *_AUDIO, *_B_FRAMES, *_AAC, *_FRAGMENTS),
    "fragmented-after-index.mp4": (
        *(*_VIDEO, *_AUDIO, *_H264, *_AAC),
        *("-movflags", "frag_keyframe"),
    ),
    "fragmented-dash.mp4": (*_VIDEO, *_H264, "-movflags", "dash+global_sidx+frag_keyframe"),
    "no-sound.mp4": (*_VIDEO, *_H264, "-movflags", "+faststart"),
    "narrow-pixels.mp4": (*_VIDEO, "-vf", "setsar=3/4", *_H264),
    "wide-pixels.mp4": (*_VIDEO, "-vf", "setsar=4/3", *_H264),
    "variable-rate.mp4": (
        *(*_VIDEO, *_AUDIO, "-vf", "select='not(mod(n,7))+between(n,10,20)'"),
        *("-fps_mode", "vfr", *_H264, *_AAC),
    ),
    "delayed.mp4": ("-itsoffset", "0.5", *_VIDEO, *_AUDIO, *_H264, *_AAC),
    "trimmed.mp4": (*_VIDEO, *_B_FRAMES, "-movflags", "+faststart", "-ss", "0.52"),
    "hevc.mp4": (
        *(*_VIDEO, *_AUDIO, "-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1"),
        *("-x265-params", "log-level=none", *_AAC),
    ),
    "hevc-10-bit.mp4": (
        *(*_VIDEO, "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"),
        *("-x265-params", "log-level=none"),
    ),
    "av1.mp4": (*_VIDEO, *_AUDIO, "-c:v", "libsvtav1", "-preset", "12", "-c:a", "libopus"),
    "vp9.mp4": (
        *(*_VIDEO, *_AUDIO, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"),
        *("-c:a", "flac", "-strict", "experimental"),
    ),
    "quicktime.mov": (*_VIDEO, *_AUDIO, *_H264, *_AAC),
    "pcm.mov": (*_VIDEO, *_AUDIO, *_H264, "-c:a", "pcm_s16le"),
    "mp3.mp4": (*_VIDEO, *_AUDIO, *_H264, "-c:a", "libmp3lame"),
    "ac3.mp4": (*_VIDEO, *_AUDIO, *_H264, "-c:a", "ac3"),
    "two-sounds.mp4": (*_VIDEO, *_AUDIO, *_AUDIO, "-map", "0", "-map", "1", "-map", "2", *_H264),
    "prores.mov": (*_VIDEO, "-c:v", "prores_ks"),
    "mpeg4.mp4": (*_VIDEO, "-c:v", "mpeg4"),
    "mjpeg.mov": (*_VIDEO, "-c:v", "mjpeg"),
    "sound-only.m4a": (*_AUDIO, *_AAC),
    "video.avi": (*_VIDEO, "-c:v", "mpeg4"),
    "video.mkv": (*_VIDEO, *_H264),
    "video.webm": (*_VIDEO, "-c:v", "libvpx", "-deadline", "realtime"),
    "sound.mkv": (*_VIDEO, *_AUDIO, *_H264, *_AAC),
    "longer-sound.mkv": (
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=6"),
        *(*_H264, "-c:a", "flac"),
    ),
    "hevc.mkv": (
        *(*_VIDEO, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"),
    ),
    "av1.mkv": (*_VIDEO, *_AUDIO, "-c:v", "libsvtav1", "-preset", "12", "-c:a", "libopus"),
    "vp9.webm": (*_VIDEO, *_AUDIO, *_VP9, "-c:a", "libopus"),
    "av1.webm": (*_VIDEO, "-c:v", "libsvtav1", "-preset", "12"),
    "wide-pixels.mkv": (*_VIDEO, "-vf", "setsar=4/3", *_H264),
    # As browsers record: no lengths, no duration.
    "live.webm": (*_VIDEO, *_AUDIO, *_VP9, "-c:a", "libopus", "-live", "1"),
    "sound-only.mkv": (*_AUDIO, *_AAC),
    "mpeg4.mkv": (*_VIDEO, "-c:v", "mpeg4"),
    "deep.mp4": (*(*_VIDEO, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p10le"),),
    "video.ts": (*_VIDEO, *_H264),
    "video.flv": (*_VIDEO, *_H264),
    "video.mpg": (*_VIDEO, "-c:v", "mpeg2video"),
    "video.wmv": (*_VIDEO, "-c:v", "wmv2"),
    "sound.ogg": (*_AUDIO, "-c:a", "libvorbis"),
    "sound.mp3": (*_AUDIO, "-c:a", "libmp3lame"),
    "sound.wav": _AUDIO,
    "picture.png": (*_VIDEO, "-frames:v", "1"),
    "picture.gif": (*_VIDEO, "-frames:v", "1"),
}
"""What ffmpeg is asked for, by the name of the file. Two seconds each, but the videos."""


CACHE = Path(__file__).parent.parent / ".pytest_cache" / "media"
"""Files that ffmpeg made, for all tests and all processes. What is in there is only read."""


def make(name: str) -> Path:
    """Return the file of that name from :data:`CACHE`, making it with ffmpeg the first time.

    "rotated.mp4" is "no-sound.mp4" with a quarter turn in its track header: the option that writes
    one is not the same in every ffmpeg.
    """
    if name == "rotated.mp4":
        return cached(name, "a quarter turn", lambda path: path.write_bytes(_rotated()))
    program = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    arguments = RECIPES[name]
    return cached(name, " ".join(arguments), lambda path: run_ffmpeg(program, *arguments, path))


def cached(name: str, recipe: str, write: Callable[[Path], object]) -> Path:
    """Return the file of that name in :data:`CACHE`, written the first time.

    It is in a folder named after its recipe, so that a changed recipe makes a new file. Of several
    processes one writes, and the others wait.
    """
    folder = CACHE / hashlib.sha256(recipe.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                unfinished = folder / f"unfinished-{name}"
                write(unfinished)
                unfinished.rename(path)
    return path


def run_ffmpeg(program: str, *arguments: str | Path) -> None:
    """Run ffmpeg; the last argument is the file that it makes."""
    *options, path = arguments
    command = [program, "-v", "error", "-nostdin", "-y", *options, f"file:{path}"]
    subprocess.run(command, check=True, timeout=120, capture_output=True)


def _rotated() -> bytes:
    upright = make("no-sound.mp4").read_bytes()
    at = upright.index(_matrix(UPRIGHT), upright.index(b"tkhd"))
    return upright[:at] + _matrix(QUARTER_TURN) + upright[at + 36 :]


def one_second() -> bytes:
    """Return one second of video that can be decoded, or a worker would reject it."""
    return make("one-second.mp4").read_bytes()
