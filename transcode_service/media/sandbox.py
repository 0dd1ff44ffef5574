"""Run ffmpeg, and our own probe, on files that somebody else made.

No shell; an environment of two variables; limits that outlive exec; a session of its own, so that
the whole group can be killed; death with its parent; a clock. What a demuxer may open is down to
the one file: its format is forced, and formats, protocols and decoders are whitelisted.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from transcode_service.media.facts import DiskFull, MediaFailed, MediaLimits, Report, SourceFacts

DEMUXERS = {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska,webm"}
"""Formats by the name of their demuxer, with all its names."""

DECODERS = (
    "h264,hevc,av1,libdav1d,libaom-av1,vp9,libvpx-vp9,vp8,libvpx,prores,"
    "aac,aac_fixed,mp3,mp3float,ac3,eac3,opus,libopus,flac,alac,vorbis,libvorbis,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,"
    "pcm_u8,pcm_s8,pcm_mulaw,pcm_alaw"
)
"""Decoders that may run: those of the codecs that uploads may have. CVE-2026-8461 was in another."""

NICENESS = 10
_KEPT = 16 << 10  # bytes of what a program said last
_TICK = 0.5  # seconds at most between two looks at the clock and calls of report
_OUTPUT = 1 << 20  # bytes of what our own child answers
Follow = Callable[[bytes], float | None]

_ROOT = Path(__file__).parents[2]
_CONFINE = Path(__file__).with_name("confine.py")


@dataclass(frozen=True)
class Ended:
    """How a program ended: its output as far as it was kept, and its exit status."""

    output: bytes
    errors: str
    status: int


def find_ffmpeg() -> str:
    """Return the path of the machine's ffmpeg, or of the one that Python brought.

    :raises FileNotFoundError: there is none.
    """
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg  # noqa: PLC0415 - only bare machines have it
    except ImportError as error:
        raise FileNotFoundError("ffmpeg is not on the PATH") from error
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise FileNotFoundError("ffmpeg is not on the PATH") from error


def reading(source: Path, facts: SourceFacts, limits: MediaLimits) -> list[str]:
    """Return the arguments by which ffmpeg opens a source, and nothing but the source."""
    return [
        *("-protocol_whitelist", "file,pipe", "-format_whitelist", DEMUXERS[facts.container]),
        *("-codec_whitelist", DECODERS, "-max_pixels", str(limits.max_pixels)),
        *("-threads", str(limits.threads), "-f", facts.container, "-i", f"file:{source}"),
    ]


def run_ffmpeg(
    arguments: Sequence[str],
    *,
    folder: Path,
    facts: SourceFacts,
    limits: MediaLimits,
    report: Report,
) -> str:
    """Run ffmpeg in a folder, telling how far it is, and return its warnings.

    :param arguments: what comes after the options that every call has.
    :raises DiskFull: there was no room.
    :raises MediaFailed: it failed, took too long, or was killed.
    """
    command = [limits.ffmpeg or find_ffmpeg(), "-hide_banner", "-nostdin", "-loglevel", "warning"]
    command += ["-y", "-progress", "pipe:1", "-stats_period", str(_TICK), "-nostats", *arguments]
    wall = limits.wall(facts.duration_ms)
    length = max(facts.duration_ms, 1)

    def follow(line: bytes) -> float | None:
        name, _, value = line.partition(b"=")
        if name != b"out_time_us" or not value.strip().lstrip(b"-").isdigit():
            return None
        return min(max(int(value) / 1000 / length, 0.0), 1.0)

    given = _limits(limits, wall, max(64 << 20, 8 * facts.size))
    launched = [sys.executable, "-I", "-S", str(_CONFINE), given, *command]
    ended = _run(launched, folder=folder, wall=wall, report=report, follow=follow)
    if ended.status:
        raise _explain(ended)
    return ended.errors


def run_probe(
    work: str, source: Path, *, folder: Path, wall: float, limits: MediaLimits, report: Report
) -> Ended:
    """Run our own probe as a child, with limits like ffmpeg's, and return how it ended.

    :param work: what it is to do, as :mod:`transcode_service.media.probe` names it.
    :raises MediaFailed: it took too long, or was killed.
    """
    given = _limits(limits, wall, 32 << 20)
    command = [sys.executable, "-m", "transcode_service.media.probe", given, work, str(source)]
    return _run(command, folder=folder, wall=wall, report=report, follow=lambda line: None)


def _limits(limits: MediaLimits, wall: float, file: int) -> str:
    cpu = int(wall * limits.threads) + 1
    given = {"cpu": cpu, "memory": limits.memory, "file": file, "niceness": NICENESS}
    return json.dumps({**given, "parent": os.getpid()})


def _run(
    command: Sequence[str], *, folder: Path, wall: float, report: Report, follow: Follow
) -> Ended:
    process = subprocess.Popen(  # noqa: S603 - a list of our own making, and no shell
        command,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(_ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        return _listen(process, wall, report, follow)
    finally:
        _end(process)


def _listen(
    process: "subprocess.Popen[bytes]", wall: float, report: Report, follow: Follow
) -> Ended:
    assert process.stdout and process.stderr  # noqa: S101 - both are pipes
    output, errors = process.stdout.fileno(), process.stderr.fileno()
    heard = {output: b"", errors: b""}
    partial, done, deadline = b"", 0.0, time.monotonic() + wall
    still_open = {output, errors}
    while still_open:
        if time.monotonic() > deadline:
            raise MediaFailed("Processing this video took too long.", _text(heard[errors]))
        ready, _, _ = select.select(still_open, [], [], _TICK)
        for descriptor in ready:
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                still_open.discard(descriptor)
            kept = _KEPT if descriptor == errors else _OUTPUT
            heard[descriptor] = (heard[descriptor] + piece)[-kept:]
            if descriptor == output:
                *lines, partial = (partial + piece).split(b"\n")
                for line in lines:
                    seen = follow(line)
                    done = done if seen is None else max(done, seen)
        report(done)
    try:
        status = process.wait(max(deadline - time.monotonic(), 1))
    except subprocess.TimeoutExpired as error:
        raise MediaFailed("Processing this video took too long.") from error
    return Ended(heard[output], _text(heard[errors]), status)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the whole group, which may hold more than the process that we started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def _explain(ended: Ended) -> MediaFailed:
    if "No space left on device" in ended.errors or "Disk quota exceeded" in ended.errors:
        return DiskFull(ended.errors)
    if ended.status == -signal.SIGXCPU or ended.status == -signal.SIGKILL:
        return MediaFailed("Processing was ended before it was done.", ended.errors)
    if ended.status == -signal.SIGXFSZ or "File too large" in ended.errors:
        return MediaFailed("Processing this video wrote more than it may.", ended.errors)
    return MediaFailed("Processing this video failed.", ended.errors)


def _text(said: bytes) -> str:
    return said.decode("utf-8", errors="replace").replace("\0", "?")
