"""Run ffmpeg, and our own probe, on files that somebody else made.

No shell, no network, an environment of three variables, resource limits, a process group of its
own, death with its parent, a time limit. A demuxer can open only the one file: its format is
forced, and formats, protocols and decoders are whitelisted.
"""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.translation import gettext_noop
from transcode_service.media.source_info import (
    DiskFull,
    MediaFailed,
    Report,
    SandboxLimits,
    SourceInfo,
    UnplayableSource,
)

DEMUXERS = {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska,webm"}
"""Formats by the name of their demuxer, with all its names."""

DECODERS = (
    "h264,hevc,av1,libdav1d,libaom-av1,vp9,libvpx-vp9,vp8,libvpx,prores,"
    "aac,aac_fixed,mp3,mp3float,ac3,eac3,opus,libopus,flac,alac,vorbis,libvorbis,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,"
    "pcm_u8,pcm_s8,pcm_mulaw,pcm_alaw"
)
"""Decoders that may run: those of what may be uploaded. CVE-2026-8461 was in another."""

NICENESS = 10
_KEPT_ERRORS = 16 << 10  # bytes, the last ones, of standard error
_KEPT_OUTPUT = 1 << 20  # bytes, the last ones, of standard output
_ERROR_RATE_EXCEEDED = 69  # ffmpeg's status when more than -max_error_rate does not decode
_TICK = 0.5  # seconds, at most, between two calls of report
_FILE_LIMIT = 64 << 20  # bytes of one file, at least, that ffmpeg may write
_PROBE_FILE_LIMIT = 32 << 20
_PROBE_SECONDS = 60.0  # for a file of no bytes
_BYTES_PER_SECOND = 20 << 20  # that a slow disk reads, at least
_NO_ROOM = ("No space left on device", "Disk quota exceeded", "Errno 28", "Errno 122")
_PROGRESS = re.compile(rb"out_time_us=([0-9]{1,18})")  # where ffmpeg is in the video

_ROOT = Path(__file__).parents[2]
_CONFINE = Path(__file__).with_name("confine.py")
_TRY_A_SOCKET = "import socket\ntry: socket.socket()\nexcept PermissionError: print('denied')"


@dataclass(frozen=True)
class ProcessResult:
    """The last output of a program, and its exit status."""

    output: bytes
    errors: str
    status: int


def find_ffmpeg() -> str:
    """Return the path of the machine's ffmpeg, or of the one that a Python package brought.

    :raises FileNotFoundError: there is none.
    """
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg  # noqa: PLC0415 - only bare machines have it

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise FileNotFoundError("ffmpeg is not on the PATH") from error


def network_is_denied() -> bool:
    """Tell whether confined programs get no socket on this system; starts one to find out."""
    given = _limits(SandboxLimits(), 60, _FILE_LIMIT)
    command = _confined([sys.executable, "-I", "-S", "-c", _TRY_A_SOCKET], given)
    tried = subprocess.run(  # noqa: S603 - a list of our own making, and no shell
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
    )
    return tried.stdout.strip() == b"denied"


def reading(source: Path, info: SourceInfo, limits: SandboxLimits) -> list[str]:
    """Return the arguments by which ffmpeg opens a source, and no other file."""
    return [
        *("-protocol_whitelist", "file,pipe", "-format_whitelist", DEMUXERS[info.container]),
        *("-codec_whitelist", DECODERS, "-max_pixels", str(limits.max_pixels)),
        *("-threads", str(limits.threads), "-f", info.container, "-i", f"file:{source}"),
    ]


def run_ffmpeg(
    arguments: Sequence[str],
    *,
    folder: Path,
    info: SourceInfo,
    limits: SandboxLimits,
    report: Report,
) -> str:
    """Run ffmpeg in a folder, report its progress, and return its warnings.

    :param arguments: those after the options that every call has.
    :raises UnplayableSource: too much of the source does not decode.
    :raises DiskFull: the volume has no more space than its reserve.
    :raises MediaFailed: it failed, took too long, or was killed.
    """
    command = [limits.ffmpeg or find_ffmpeg(), "-hide_banner", "-nostdin", "-loglevel", "warning"]
    command += ["-y", "-progress", "pipe:1", "-stats_period", str(_TICK), "-nostats", *arguments]
    wall = limits.base_seconds + limits.seconds_per_second * info.duration_ms / 1000
    duration_ms = max(info.duration_ms, 1)

    def tell(microseconds: int) -> None:
        report(min(microseconds / 1000 / duration_ms, 1.0))

    free = _free_space(folder, limits)
    largest = max(_FILE_LIMIT, 8 * info.size)
    launched = _confined(command, _limits(limits, wall, min(largest, free)))
    result = _run(launched, folder=folder, wall=wall, limits=limits, tell=tell)
    if result.status:
        raise _explain(result, free=free, largest=largest)
    return result.errors


def run_probe(
    work: Mapping[str, object], source: Path, *, folder: Path, limits: SandboxLimits, report: Report
) -> dict[str, Any]:
    """Run our own probe as a child, with limits like ffmpeg's, and return its answer.

    :param work: what it is to do, as :mod:`transcode_service.media.probe_child` names it.
    :param folder: where the child runs and writes.
    """
    wall = _PROBE_SECONDS + source.stat().st_size / _BYTES_PER_SECOND
    given = _limits(limits, wall, min(_PROBE_FILE_LIMIT, _free_space(folder, limits)))
    command = [sys.executable, "-m", "transcode_service.media.probe_child", given]
    command += [json.dumps({**work, "max_pixels": limits.max_pixels}), str(source)]
    result = _run(command, folder=folder, wall=wall, limits=limits, tell=lambda _: report(0.0))
    if result.status:
        if _is_full(result):
            raise DiskFull(result.errors)
        raise MediaFailed(gettext_noop("This video could not be looked into."), result.errors)
    answer: dict[str, Any] = json.loads(result.output)
    if "unplayable" in answer:
        raise UnplayableSource(str(answer["unplayable"]))
    return answer


def _free_space(folder: Path, limits: SandboxLimits) -> int:
    """Return how many bytes a step may write to a volume, which keeps its reserve for the rest."""
    free = shutil.disk_usage(folder).free - limits.reserve
    if free <= 0:
        raise DiskFull
    return free


def _limits(limits: SandboxLimits, wall: float, file: int) -> str:
    cpu = int(wall * limits.threads) + 1
    given = {"cpu": cpu, "memory": limits.memory, "file": file, "niceness": NICENESS}
    return json.dumps({**given, "parent": os.getpid()})


def _confined(command: Sequence[str], given: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(_CONFINE), given, *command]


def _run(
    command: Sequence[str],
    *,
    folder: Path,
    wall: float,
    limits: SandboxLimits,
    tell: Callable[[int], None],
) -> ProcessResult:
    """Run a program to its end, and twice a second tell how far ffmpeg says it is, in microseconds.

    :param wall: seconds that it may take.
    """

    def tick(microseconds: int) -> None:
        _free_space(folder, limits)
        tell(microseconds)

    with subprocess.Popen(  # noqa: S603 - a list of our own making, and no shell
        command,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(_ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            return _follow(process, wall, tick)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # it may hold more than this process


def _follow(
    process: "subprocess.Popen[bytes]", wall: float, tick: Callable[[int], None]
) -> ProcessResult:
    assert process.stdout is not None  # noqa: S101 - both are pipes
    assert process.stderr is not None  # noqa: S101
    output, errors = process.stdout.fileno(), process.stderr.fileno()
    kept = {output: b"", errors: b""}
    done, deadline = 0, time.monotonic() + wall
    still_open = {output, errors}
    while still_open:
        if time.monotonic() > deadline:
            raise MediaFailed(
                gettext_noop("Processing this video took too long."), _text(kept[errors])
            )
        ready, _, _ = select.select(still_open, [], [], _TICK)
        for descriptor in ready:
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                still_open.discard(descriptor)
            limit = _KEPT_ERRORS if descriptor == errors else _KEPT_OUTPUT
            kept[descriptor] = (kept[descriptor] + piece)[-limit:]
            if descriptor == output:  # a number that is cut off at the end counts as a smaller one
                done = max(done, *map(int, _PROGRESS.findall(piece)), 0)
        tick(done)
    try:
        status = process.wait(max(deadline - time.monotonic(), 1))
    except subprocess.TimeoutExpired as error:
        raise MediaFailed(gettext_noop("Processing this video took too long.")) from error
    return ProcessResult(kept[output], _text(kept[errors]), status)


def _explain(result: ProcessResult, *, free: int, largest: int) -> MediaFailed | UnplayableSource:
    """Return the exception for a status of ffmpeg that is not 0.

    :param free: bytes that were available when it started, without the reserve.
    :param largest: bytes that one of its files might have had with enough space.
    """
    if result.status == _ERROR_RATE_EXCEEDED:
        return UnplayableSource(
            gettext_noop(
                "The frames of this video are damaged. Get a good copy and upload it again."
            )
        )
    too_large = result.status == -signal.SIGXFSZ or "File too large" in result.errors
    if _is_full(result) or (too_large and free < largest):
        return DiskFull(result.errors)
    if result.status in {-signal.SIGXCPU, -signal.SIGKILL}:
        return MediaFailed(gettext_noop("Processing was ended before it was done."), result.errors)
    if too_large:
        return MediaFailed(
            gettext_noop("Processing this video wrote more than it may."), result.errors
        )
    return MediaFailed(gettext_noop("Processing this video failed."), result.errors)


def _is_full(result: ProcessResult) -> bool:
    return any(sign in result.errors for sign in _NO_ROOM)


def _text(output: bytes) -> str:
    return output.decode("utf-8", errors="replace").replace("\0", "?")
