"""What the system must survive, sent to a real server, both over tus and by the form."""

import re
import signal
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from common.web.auth import SESSION_COOKIE
from db.models import Video
from tests.media import (
    FTYP_BRANDS,
    QUARTER_TURN,
    TrackSpec,
    audio_track,
    box,
    fragmented_mp4,
    full_box,
    mp4,
    nested,
    video_entry,
    words,
)
from tests.upload_service.conftest import files_in
from tests.upload_service.server import Server
from tests.waiting import wait_until

LONG = replace(TrackSpec(), sample_size=1000)

REFUSED = {
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "ZIP": b"PK\x03\x04" + bytes(100),
    "text": b"just words",
    "nothing": b"",
    "ftyp alone": box(b"ftyp", FTYP_BRANDS),
    "ffconcat, relative": b"ffconcat version 1.0\nfile neighbour.mp4\n",
    "ffconcat, absolute": b"ffconcat version 1.0\nfile /etc/hostname\n",
    "ffconcat, http": b"ffconcat version 1.0\nfile http://192.0.2.1/x.mp4\n",
    "playlist, relative": b"#EXTM3U\n#EXTINF:1,\n../neighbour.mp4\n",
    "playlist, absolute": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n",
    "playlist, http": b"#EXTM3U\n#EXTINF:1,\nhttp://192.0.2.1/x.ts\n",
    "cut in half, index first": mp4(LONG)[: len(mp4(LONG)) // 2],
    "cut in half, index last": mp4(LONG, index_first=False)[: len(mp4(LONG)) // 2],
    "sound only": mp4(audio_track()),
    "an unknown codec": mp4(TrackSpec(entry=video_entry(b"zzzz", b""))),
    "a box of size 1": mp4(between=struct.pack(">I4s", 1, b"free")),
    "a box of 2^62": mp4(between=struct.pack(">I4sQ", 1, b"free", 1 << 62)),
    "10,000 nested boxes": box(b"ftyp", FTYP_BRANDS) + nested(b"moov", 10_000),
    "a table of 2^31": mp4(
        TrackSpec(tables={b"stts": full_box(b"stts", 0, 0, words(2**31 - 1, 1, 512))})
    ),
    "100k x 100k": mp4(TrackSpec(entry=video_entry(width=65_535, height=65_535))),
    "1,000,000 frames a second": mp4(TrackSpec(timescale=1_000_000, durations=((50, 1),))),
}

ACCEPTED = {
    "index last": mp4(index_first=False),
    "fragmented": fragmented_mp4(),
    "64-bit sizes": mp4(mdat="large"),
    "64-bit times": mp4(TrackSpec(wide=True)),
    "rotated": mp4(TrackSpec(matrix=QUARTER_TURN)),
    "variable frame rate": mp4(TrackSpec(durations=((10, 512), (20, 256), (10, 1024)))),
    "no sound": mp4(),
    "sound": mp4(TrackSpec(), audio_track()),
    "49 days in the header": mp4(TrackSpec(header_ms=49 * 86_400_000)),
}


class Sender:
    """Sends whole files, each way."""

    def __init__(self, server: Server, token: str) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{server.port}"
        self.headers = {"Cookie": f"{SESSION_COOKIE}={token}", "Accept": "application/json"}

    def tus(self, content: bytes) -> requests.Response:
        """Announce a file with all its bytes."""
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content))}
        kind = {"Content-Type": "application/offset+octet-stream"}
        return requests.post(
            f"{self.url}/upload/files",
            data=content,
            headers=self.headers | headers | kind,
            timeout=30,
        )

    def form(self, content: bytes) -> requests.Response:
        """Post the form."""
        return requests.post(
            f"{self.url}/upload",
            data={"title": "A video"},
            files={"file": ("video.mp4", content, "video/mp4")},
            headers=self.headers,
            timeout=30,
        )

    def send(self, how: str, content: bytes) -> requests.Response:
        """Send it one way or the other."""
        return self.tus(content) if how == "tus" else self.form(content)


@pytest.fixture(scope="module")
def sender(server: Server) -> Sender:
    """Alice's."""
    return Sender(server, server.sign_in("hostile"))


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_video_is_rejected_with_the_reason_and_removed(
    sender: Sender, what: str
) -> None:
    before = files_in(sender.server.videos_dir)
    answer = sender.tus(REFUSED[what])
    assert answer.status_code == 422, answer.text
    assert re.fullmatch(r"[A-Z].*\.", answer.json()["error"])
    assert files_in(sender.server.videos_dir) == before


@pytest.mark.parametrize("what", ACCEPTED)
def test_what_players_play_is_accepted_as_it_is(sender: Sender, what: str) -> None:
    content = ACCEPTED[what]
    answer = sender.tus(content)
    assert answer.status_code == 201, answer.text
    video_id = answer.headers["Upload-Video"].rpartition("/")[2]
    stored = sender.server.videos_dir / video_id / "original.mp4"
    assert stored.read_bytes() == content


def test_a_header_of_49_days_is_not_believed(sender: Sender) -> None:
    answer = sender.tus(ACCEPTED["49 days in the header"])
    video_id = answer.headers["Upload-Video"].rpartition("/")[2]
    video = sender.server.database.read(lambda session: session.get(Video, video_id))
    assert video is not None
    assert video.duration_ms < 3000


@pytest.mark.parametrize(
    "lines",
    [
        ["Upload-Length: 5", "Upload-Length: 5"],
        ["Upload-Length: 5", "Upload-Length: 6"],
        ["Upload-Length: ٣"],
    ],
)
def test_a_length_that_is_none_is_400(sender: Sender, lines: list[str]) -> None:
    always = ["Host: localhost", f"Cookie: {sender.headers['Cookie']}", "Tus-Resumable: 1.0.0"]
    head = "\r\n".join(["POST /upload/files HTTP/1.1", *always, *lines, "Content-Length: 0"])
    with sender.server.connect() as connection:
        connection.send(f"{head}\r\n\r\n".encode())
        assert connection.answer().status == 400


@pytest.fixture
def traced(sender: Sender, tmp_path: Path) -> Iterator[Path]:
    """What the service opens and whom it calls, while a test runs."""
    trace = tmp_path / "trace"
    options = ["-f", "-qq", "-s", "300", "-e", "trace=open,openat,connect,execve", "-o", str(trace)]
    process = subprocess.Popen(
        ["strace", *options, "-p", str(sender.server.worker())], stderr=subprocess.DEVNULL
    )

    def follows() -> bool:
        # A mark that shows: the file of an upload is opened by its name.
        sender.tus(b"mark")
        return process.poll() is not None or (trace.exists() and b"incoming" in trace.read_bytes())

    wait_until(follows, within=30)
    yield trace
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(10)


@pytest.mark.needs_strace
def test_lists_that_name_other_files_open_none_and_call_nobody(
    sender: Sender, traced: Path
) -> None:
    for what in (name for name in REFUSED if name.startswith(("ffconcat", "playlist"))):
        for how in ("tus", "form"):
            assert sender.send(how, REFUSED[what]).status_code == 422
    told = traced.read_text(encoding="utf-8", errors="replace")
    assert "incoming" in told
    for stranger in ("neighbour", "/etc/hostname", "192.0.2.1", "execve"):
        assert stranger not in told
