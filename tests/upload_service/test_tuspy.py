"""tuspy, the client of the documentation: its example sends, survives a cut, and resumes."""

import hashlib
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.browser.flaky_proxy import Line
from tests.conftest import ROOT
from tests.media import box, mp4
from tests.upload_service.server import Server
from tests.waiting import wait_until

CHUNK = 1 << 20  # bytes; the example's own are larger than this server takes files


@pytest.fixture(scope="module")
def video_bytes() -> bytes:
    """Some megabytes of video, no two pieces alike."""
    return mp4() + box(b"free", random.Random(5).randbytes(6 << 20))


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    """A line to the server that is slow enough to be cut in the middle."""
    line = Line(f"http://127.0.0.1:{server.port}")
    line.speed = 2 << 20
    yield line
    line.close()


@pytest.fixture
def token(server: Server, request: pytest.FixtureRequest) -> str:
    """The token of somebody new."""
    return server.sign_in(f"tuspy-{request.node.name}"[:40])


def example() -> str:
    """Return the code of the documentation."""
    text = (ROOT / "docs" / "uploading.md").read_text(encoding="utf-8")
    [code] = re.findall(r"## Resumable, with Python.*?```python\n(.*?)```", text, re.DOTALL)
    assert "16 << 20" in code
    return str(code).replace("16 << 20", str(CHUNK))


def run(folder: Path, line: Line, token: str) -> "subprocess.Popen[str]":
    """Run the example beside a file of the name that it sends."""
    code = f"url, token = {line.url!r}, {token!r}\n{example()}\nprint(uploader.url)\n"
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, stdout=pipe, stderr=pipe, text=True
    )


def unfinished(line: Line, token: str) -> int:
    """Return how much of the one unfinished upload has arrived; 0 without one."""
    answer = requests.get(
        f"{line.url}/api/uploads", headers={"Authorization": f"Bearer {token}"}, timeout=20
    )
    return sum(int(upload["offset"]) for upload in answer.json()["uploads"])


def assert_arrived(server: Server, process: "subprocess.Popen[str]", video_bytes: bytes) -> None:
    said, complaint = process.communicate(timeout=60)
    assert process.returncode == 0, complaint
    stored = server.videos_dir / said.strip().rpartition("/")[2] / "original.mp4"
    assert hashlib.sha256(stored.read_bytes()).digest() == hashlib.sha256(video_bytes).digest()


def test_the_example_of_the_documentation_works(
    server: Server, line: Line, token: str, video_bytes: bytes, tmp_path: Path
) -> None:
    line.speed = None
    (tmp_path / "harbour.mp4").write_bytes(video_bytes)
    assert_arrived(server, run(tmp_path, line, token), video_bytes)


def test_it_goes_on_by_itself_when_the_network_is_back(
    server: Server, line: Line, token: str, video_bytes: bytes, tmp_path: Path
) -> None:
    (tmp_path / "harbour.mp4").write_bytes(video_bytes)
    process = run(tmp_path, line, token)
    wait_until(lambda: unfinished(line, token) >= CHUNK, within=30)
    line.cut()
    line.speed = None
    line.mend()
    assert_arrived(server, process, video_bytes)


def test_it_goes_on_where_it_stopped_after_it_was_killed(
    server: Server, line: Line, token: str, video_bytes: bytes, tmp_path: Path
) -> None:
    (tmp_path / "harbour.mp4").write_bytes(video_bytes)
    process = run(tmp_path, line, token)
    wait_until(lambda: unfinished(line, token) >= CHUNK, within=30)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    arrived = unfinished(line, token)
    assert CHUNK <= arrived < len(video_bytes)
    before = line.carried
    line.speed = None
    assert_arrived(server, run(tmp_path, line, token), video_bytes)
    # What had arrived was not sent again.
    assert line.carried - before < len(video_bytes) - arrived + CHUNK
