"""Sources beside those of `tests.media`, made with the machine's ffmpeg, and bent ones."""

import random
from pathlib import Path

from tests import media

_BARS = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=6")
_BLACK = ("-f", "lavfi", "-i", "color=black:size=320x180:rate=25:duration=3")
_TONE = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=6")
_X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
_X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1")

# A white flash and a tone, a tenth of a second each, every ten seconds for twenty minutes.
_AT = "between(mod(t,10),5,5.1)"
_FLASHES = f"color=black:s=160x90:r=25:d=1200,drawbox=c=white:t=fill:enable='{_AT}'"
# Ten seconds are computed and repeated: evaluating every sample takes most of the time.
_TONES = (
    f"aevalsrc='0.8*sin(2*PI*1000*t)*{_AT}':s=44100:d=10:c=stereo"
    ",aloop=loop=-1:size=441000,atrim=duration=1200"
)

RECIPES: dict[str, tuple[str, ...]] = {
    "ladder.mp4": (
        *("-f", "lavfi", "-i", "testsrc2=size=852x480:rate=10:duration=10"),
        *(*_TONE, *_X264, "-bf", "3", "-g", "20", "-c:a", "aac"),
    ),
    "flashes.mp4": (
        *("-f", "lavfi", "-i", _FLASHES, "-f", "lavfi", "-i", _TONES),
        *(*_X264, "-bf", "3", "-b_strategy", "0", "-g", "50", "-c:a", "aac"),
    ),
    "odd-size.mp4": (
        *("-f", "lavfi", "-i", "testsrc2=size=321x181:rate=25:duration=2"),
        *("-vf", "format=yuv444p", "-c:v", "libx264", "-preset", "ultrafast"),
    ),
    "slow-motion.mov": (
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=240:duration=1"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p"),
    ),
    "begins-black.mp4": (
        *(*_BLACK, *_BARS, "-filter_complex", "[0][1]concat=n=2"),
        *(*_X264, "-g", "500", "-sc_threshold", "0"),
    ),
    "hdr.mp4": (
        *(*_BARS, "-t", "3", *_X265, "-x265-params"),
        "log-level=none:keyint=50:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc",
    ),
    "languages.mp4": (
        *(*_BARS, *_TONE, *_TONE, "-map", "0", "-map", "1", "-map", "2", *_X264, "-c:a:0", "aac"),
        *("-c:a:1", "ac3", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"),
        *("-disposition:a:0", "0", "-disposition:a:1", "default"),
    ),
    "late-sound.mp4": (*_BARS, "-itsoffset", "0.8", *_TONE, *_X264, "-c:a", "aac"),
    "far-keyframes.mp4": (
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=5:duration=30"),
        *(*_X264, "-g", "1000", "-sc_threshold", "0"),
    ),
    "cover.mp4": (
        *(*_TONE, "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=1:duration=1", "-map", "0"),
        *("-map", "1", "-c:a", "aac", "-c:v", "mjpeg", "-disposition:v", "attached_pic"),
    ),
}


def make(name: str) -> Path:
    """Return the file of that name, making it the first time."""
    if name == "changing-size.mp4":
        return media.cached(name, "320x180, then 640x360", _write_changing_size)
    if name == "cut-between-keyframes.mp4":
        whole = make("ladder.mp4")
        arguments: tuple[str, ...] = ("-ss", "1.5", "-i", f"file:{whole}", "-c", "copy")
    elif name in RECIPES:
        arguments = RECIPES[name]
    else:
        return media.make(name)
    return media.cached(name, " ".join(arguments), lambda path: _run(*arguments, path))


def _write_changing_size(path: Path) -> None:
    """Write a file whose frames change their size after three seconds."""
    part, stream = path.with_suffix(".part.h264"), path.with_suffix(".h264")
    with stream.open("wb") as joined:
        for size in ("320x180", "640x360"):
            bars = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=3")
            _run(*bars, *_X264, "-g", "25", part)
            joined.write(part.read_bytes())
    _run("-r", "25", "-i", f"file:{stream}", "-c", "copy", path)


def _run(*arguments: str | Path) -> None:
    media.run_ffmpeg("ffmpeg", *arguments)


def mutate(whole: bytes, dice: random.Random) -> bytes:
    """Return a file with something wrong: bits, bytes, sizes, order or length."""
    data = bytearray(whole)
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        at = dice.randrange(len(data))
        match dice.randrange(7):
            case 0:
                data[at] ^= 1 << dice.randrange(8)
            case 1:
                data[at : at + 4] = dice.choice(
                    (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff")
                )
            case 2:
                data[at : at + 8] = dice.randbytes(8)
            case 3:
                length = dice.randrange(1, 1 + len(data) // 4)
                data[at : at + length] = bytes(min(length, len(data) - at))
            case 4:
                del data[at : at + dice.randrange(1, 64)]
            case 5:
                data[at:at] = data[max(0, at - 32) : at]
            case _:
                _bend_a_box(data, dice)
        if len(data) < 64:
            return bytes(whole)
    if dice.random() < 0.1:
        del data[dice.randrange(32, len(data)) :]
    return bytes(data)


_KINDS = b"moov trak mdia stbl stsd stts stsz stsc stco ctts elst avcC moof traf trun tkhd".split()


def _bend_a_box(data: bytearray, dice: random.Random) -> None:
    """Change a number in the index, where most of what can go wrong is said."""
    at = data.find(dice.choice(_KINDS))
    if at >= 4:
        place = at + dice.choice((-4, 4, 8, 12, 16, 20, 24))
        value = dice.choice((0, 1, 7, 0x7FFFFFFF, 0xFFFFFFFF, dice.getrandbits(32)))
        data[place : place + 4] = value.to_bytes(4, "big")
