"""Whatever a file says, nothing but the file is opened, and its processes end when they should."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.transcode_service.media.conftest import Sources, measured, quiet
from tests.waiting import wait_until
from transcode_service.media.probe import measure
from transcode_service.media.renditions import encode_rendition
from transcode_service.media.sandbox import network_is_denied, reading, run_ffmpeg
from transcode_service.media.source_info import (
    DiskFull,
    MediaFailed,
    SandboxLimits,
    UnplayableSource,
)

pytestmark = pytest.mark.needs_ffmpeg

ROOT = Path(__file__).parents[3]
CONFINE = ROOT / "transcode_service" / "media" / "confine.py"
LISTS = {
    "list of a neighbour": "ffconcat version 1.0\nfile secret.mp4\n",
    "list of an absolute path": "ffconcat version 1.0\nfile {folder}/secret.mp4\n",
    "list of a host": "ffconcat version 1.0\nfile http://127.0.0.1:9/secret.mp4\n",
    "playlist of a neighbour": "#EXTM3U\n#EXTINF:2,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    "playlist of an absolute path": "#EXTM3U\n#EXTINF:2,\nfile:{folder}/secret.mp4\n",
    "playlist of a host": "#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1:9/secret.ts\n",
}
LOOK = """
import sys
from pathlib import Path
from transcode_service.media.renditions import encode_rendition
from transcode_service.media.probe import measure
from transcode_service.media.source_info import SandboxLimits, UnplayableSource
video, folder, height, *sources = sys.argv[1:]
limits = SandboxLimits()
done = {"info": measure(Path(video), limits), "limits": limits, "report": print}
for source in map(Path, sources):
    try:
        measure(source, limits)
    except UnplayableSource as unplayable:
        print(unplayable.sentence)
    try:
        encode_rendition(source, Path(folder), **done, height=int(height))
    except Exception as error:
        print(type(error).__name__)
"""


@pytest.mark.needs_strace
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_lists_of_other_files_open_none_of_them(source: Sources, tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_bytes(source("no-sound.mp4").read_bytes())
    paths = []
    for name, text in LISTS.items():
        paths.append(tmp_path / f"{name}.mp4")
        paths[-1].write_text(text.format(folder=tmp_path))
    log = tmp_path / "calls"
    command = ["strace", "-f", "-qq", "-o", str(log), "-e", "trace=openat,open,connect,sendto"]
    looked = subprocess.run(
        [*command, sys.executable, "-c", LOOK, source("no-sound.mp4"), tmp_path, "90", *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    said = [line for line in looked.stdout.splitlines() if not line[0].isdigit()]
    assert all(line.startswith("This file is damaged") for line in said[::2])
    assert said[1::2] == ["MediaFailed"] * len(LISTS)
    calls = log.read_text()
    for path in paths:
        assert path.name in calls  # strace saw the children
    assert "secret" not in calls
    assert not re.search(r"AF_INET", calls)


def test_a_file_whose_name_looks_like_an_option_is_a_file(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    odd = tmp_path / "-vf.mp4"
    odd.write_bytes(source("no-sound.mp4").read_bytes())
    info = measure(odd, limits)
    made = encode_rendition(odd, tmp_path, info=info, limits=limits, report=quiet, height=90)
    assert made.size > 1000


class Cancelled(Exception):
    """Ends a step."""


def test_a_step_that_is_ended_leaves_no_process(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    info = measured(source("twelve-seconds.mp4"))

    def end(_: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        encode_rendition(
            source("twelve-seconds.mp4"), tmp_path, info=info, limits=limits, report=end, height=240
        )
    assert not running(tmp_path)


def test_a_killed_worker_takes_its_ffmpeg_along(source: Sources, tmp_path: Path) -> None:
    video_file = str(source("twelve-seconds.mp4"))
    command = [sys.executable, "-c", LOOK, video_file, str(tmp_path), "1080", video_file]
    worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    wait_until(lambda: bool(running(tmp_path, "ffmpeg")), within=60)
    worker.kill()
    worker.wait()
    wait_until(lambda: not running(tmp_path, "ffmpeg"), within=10)


def running(folder: Path, name: str = "") -> list[str]:
    """Return the commands of the processes whose working folder is that one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text().split("\0")[0]
            if (process / "cwd").readlink() == folder and name in command:
                found.append(command)
        except OSError:
            continue
    return found


def test_a_step_without_end_is_ended_by_the_clock(source: Sources, tmp_path: Path) -> None:
    info = measured(source("no-sound.mp4"))
    limits = SandboxLimits(base_seconds=1, seconds_per_second=0)
    began = time.monotonic()
    arguments = ["-stream_loop", "-1", "-re", *reading(source("no-sound.mp4"), info, limits)]
    with pytest.raises(MediaFailed, match="too long"):
        run_ffmpeg(
            [*arguments, "-f", "null", "-"],
            folder=tmp_path,
            info=info,
            limits=limits,
            report=quiet,
        )
    assert time.monotonic() - began < 60


def test_a_full_disk_is_reported_as_such(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    info = measured(source("no-sound.mp4"))
    with pytest.raises(DiskFull):
        run_ffmpeg(
            [*reading(source("no-sound.mp4"), info, limits), "-f", "rawvideo", "file:/dev/full"],
            folder=tmp_path,
            info=info,
            limits=limits,
            report=quiet,
        )


def test_the_child_sees_no_secret_of_ours(
    source: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\nenv > {told}\nulimit -a >> {told}\nnice >> {told}\n")
    program.chmod(0o755)
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    info = measured(source("no-sound.mp4"))
    limits = SandboxLimits(ffmpeg=str(program))
    run_ffmpeg([], folder=tmp_path, info=info, limits=limits, report=quiet)
    text = told.read_text()
    assert "hunter2" not in text
    assert re.search(r"\n1\d\n?$", text)  # niceness


def test_a_step_stops_at_the_reserve_of_the_volume(
    source: Sources, tmp_path: Path, limits: SandboxLimits
) -> None:
    info = measured(source("no-sound.mp4"))
    reserve = shutil.disk_usage(tmp_path).free - (8 << 20)
    endless = ["-stream_loop", "-1", *reading(source("no-sound.mp4"), info, limits)]
    with pytest.raises(DiskFull):
        run_ffmpeg(
            [*endless, "-f", "rawvideo", "file:all.raw"],
            folder=tmp_path,
            info=info,
            limits=replace(limits, reserve=reserve),
            report=quiet,
        )
    assert (tmp_path / "all.raw").stat().st_size < 64 << 20


def test_without_more_than_the_reserve_no_child_is_started(
    source: Sources, limits: SandboxLimits
) -> None:
    with pytest.raises(DiskFull):
        measure(source("no-sound.mp4"), replace(limits, reserve=1 << 60))


REACH_OUT = """
import socket, sys
tcp, udp, unix = sys.argv[1:]
for kind, send in (
    ("tcp", lambda: socket.create_connection(("127.0.0.1", int(tcp)), timeout=5)),
    ("udp", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", int(udp)))),
    ("unix", lambda: socket.socket(socket.AF_UNIX).connect(unix)),
):
    try:
        send()
    except PermissionError:
        print(kind, "denied")
"""


def test_a_confined_program_reaches_no_network(tmp_path: Path) -> None:
    assert network_is_denied()
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        ports = [str(listener.getsockname()[1]) for listener in (tcp, udp)]
        code = [sys.executable, "-c", REACH_OUT, *ports, str(tmp_path / "socket")]
        limits = {"parent": os.getpid(), "cpu": 60, "memory": 4 << 30, "file": 0, "niceness": 0}
        tried = subprocess.run(
            [sys.executable, "-I", "-S", str(CONFINE), json.dumps(limits), *code],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        tcp.setblocking(False)
        udp.setblocking(False)
        with pytest.raises(BlockingIOError):
            tcp.accept()
        with pytest.raises(BlockingIOError):
            udp.recv(1)
    assert tried.stdout.split("\n")[:-1] == ["tcp denied", "udp denied", "unix denied"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("sound-only.m4a", "audio but no video"),
        ("cover.mp4", "audio but no video"),
        ("mpeg4.mp4", "cannot be played"),
        ("video.mkv", "not an MP4"),
    ],
)
def test_what_cannot_be_played_is_rejected_by_name(source: Sources, name: str, says: str) -> None:
    with pytest.raises(UnplayableSource, match=says):
        measure(source(name), SandboxLimits())
