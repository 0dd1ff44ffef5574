"""`python -m standalone`: what it makes, starts, keeps running and refuses."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from standalone.__main__ import main
from standalone.programs import is_healthy
from tests.conftest import ROOT, free_ports
from tests.system.deployment import Standalone, answers
from tests.system.http_client import Person
from tests.waiting import wait_until

pytestmark = pytest.mark.standalone_only

Refusal = Callable[..., str]


@pytest.fixture
def running(origin: Standalone, administrator: Person) -> Standalone:
    """The running Matinee of this process's tests, which has its first account."""
    return origin


def test_nobody_else_can_read_the_data(running: Standalone) -> None:
    assert stat.S_IMODE(running.data_dir.stat().st_mode) == 0o700
    for path in running.data_dir.rglob("*"):
        with suppress(FileNotFoundError):  # it was removed just now
            mode = path.lstat().st_mode
            # Files of videos may be read, as Compose needs it, but for the folders above them.
            is_of_video = stat.S_ISREG(mode) and running.volume in path.parents
            may_be_open = stat.S_ISSOCK(mode) or is_of_video
            assert may_be_open or stat.S_IMODE(mode) & 0o077 == 0, path


def test_each_service_runs_on_a_stock_worker_of_its_own(running: Standalone) -> None:
    commands = list(running.children().values())

    for service, worker_class in (
        ("auth", "gthread"),
        ("upload", "gevent"),
        ("streaming", "gevent"),
    ):
        own = [command for command in commands if f"{service}_service.app" in command]
        assert len(own) == 2  # the master and its worker
        assert all(f"--worker-class {worker_class}" in command for command in own)


def test_services_are_reached_on_sockets(running: Standalone) -> None:
    for service in ("auth", "upload", "streaming"):
        assert is_healthy(running.data_dir / "sockets" / f"{service}.sock")


def test_no_header_makes_the_connection_private(running: Standalone) -> None:
    form = {"username": "heather", "password": "correct horse battery"}
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-SSL": "on", "X-Forwarded-Protocol": "ssl"}

    answer = requests.post(f"{running.url}/register", form, headers=headers, allow_redirects=False)

    assert answer.status_code == 303
    assert list(answer.cookies.keys()) == ["matinee_session"]


def test_a_killed_master_leaves_no_worker_behind(running: Standalone) -> None:
    """Its workers would go on with the old socket, and keep whatever they have open."""
    [master, worker] = sorted(
        pid for pid, command in running.children().items() if "auth_service.app" in command
    )
    os.kill(master, signal.SIGKILL)

    wait_until(lambda: not Path(f"/proc/{worker}").exists(), what="the end of the worker")
    wait_until(lambda: answers(running.url), what="pages again")


def test_the_log_is_for_its_owner_and_holds_requests(running: Standalone) -> None:
    assert answers(running.url)
    log = running.data_dir / "matinee.log"

    wait_until(lambda: '"path": "/login"' in log.read_text("utf-8"), what="the line")


def test_a_refusal_is_a_sentence_and_a_status(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "standalone"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path), "PORTS": "x"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("PORTS takes")
    assert "Traceback" not in done.stderr


@pytest.fixture
def refusal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Refusal]:
    """Run one in this process that ends by itself, and return the sentence it ends with."""
    signals = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    mask = os.umask(0o077)

    def run(*arguments: str, **settings: str) -> str:
        monkeypatch.setattr(sys, "argv", ["standalone", *arguments])
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, str)
        return ended.value.code

    yield run
    os.umask(mask)
    for number, handler in signals.items():
        signal.signal(number, handler)


def test_a_folder_that_cannot_be_written_is_told(refusal: Refusal) -> None:
    assert "DATA_DIR, /proc/matinee, cannot be used" in refusal(DATA_DIR="/proc/matinee")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_is_taken_is_told(tmp_path: Path, refusal: Refusal, address: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as taken:
        taken.bind((address, 0))
        taken.listen()
        port = taken.getsockname()[1]

        said = refusal(DATA_DIR=str(tmp_path), LISTEN_ADDRESS=address, PORTS=str(port))

    assert f"Port {port} of {address} cannot be used" in said


def test_an_address_of_another_machine_is_told(tmp_path: Path, refusal: Refusal) -> None:
    said = refusal(DATA_DIR=str(tmp_path), LISTEN_ADDRESS="192.0.2.1", PORTS=str(free_ports(1)[0]))

    assert "LISTEN_ADDRESS is 192.0.2.1; this machine has no such address." in said


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "DATABASE_URL cannot be understood"),
        ("unknown://host/name", "DATABASE_URL cannot be understood"),
        ("sqlite:////proc/matinee.db", "The database cannot be used: unable to open"),
    ],
)
def test_a_database_that_cannot_be_used_is_told(
    tmp_path: Path, refusal: Refusal, url: str, sentence: str
) -> None:
    said = refusal(DATA_DIR=str(tmp_path), DATABASE_URL=url, PORTS=str(free_ports(1)[0]))

    assert sentence in said


def test_a_command_needs_one_that_runs(tmp_path: Path, refusal: Refusal) -> None:
    said = refusal("admin", "create-admin", "Operator", DATA_DIR=str(tmp_path))

    assert "Matinee is not running" in said
