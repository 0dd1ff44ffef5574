"""`python -m standalone`: what it makes, starts, keeps running and refuses."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from common.duty import Duty
from db.engine import connect
from db.schema import upgrade
from standalone.programs import is_healthy
from tests.conftest import ROOT, free_ports
from tests.system.deployment import Standalone, answers
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A running Matinee whose data folder was there before, open to everybody."""
    folder = tmp_path_factory.mktemp("run") / "data"
    folder.mkdir()
    folder.chmod(0o755)
    origin = Standalone(folder, free_ports(3))
    origin.start()
    yield origin
    origin.remove()


def refusal(**settings: str) -> str:
    """Start one that ends by itself, and return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "standalone"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_nobody_else_can_read_the_data(running: Standalone) -> None:
    assert stat.S_IMODE(running.data_dir.stat().st_mode) == 0o700
    for path in running.data_dir.rglob("*"):
        if not path.is_socket():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


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
    form = {"username": "alice", "password": "correct horse battery"}
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


def test_a_site_without_its_certificate_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "caddy").mkdir()
    (tmp_path / "caddy" / "certificates").touch()  # no folder, so that none can be kept
    http, https = free_ports(2)
    environ = {"DATA_DIR": str(tmp_path), "HTTP_PORT": str(http), "HTTPS_PORT": str(https)}
    with subprocess.Popen(
        [sys.executable, "-m", "standalone"],
        cwd=ROOT,
        env={**os.environ, **environ, "DOMAIN": "localhost", "LISTEN_ADDRESS": "127.0.0.1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as site:
        try:
            assert site.stdout is not None
            first = site.stdout.readline()
        finally:
            site.terminate()
        rest = site.stdout.read()

    assert first.startswith("Waiting for a certificate for localhost.")
    assert "ready" not in rest


def test_a_folder_that_cannot_be_written_is_told() -> None:
    assert "DATA_DIR, /proc/matinee, cannot be used" in refusal(DATA_DIR="/proc/matinee")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_is_taken_is_told(tmp_path: Path, address: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as taken:
        taken.bind((address, 0))
        taken.listen()
        port = taken.getsockname()[1]

        said = refusal(DATA_DIR=str(tmp_path), LISTEN_ADDRESS=address, PORTS=str(port))

    assert f"Port {port} of {address} cannot be used" in said


def test_an_address_of_another_machine_is_told(tmp_path: Path) -> None:
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
def test_a_database_that_cannot_be_used_is_told(tmp_path: Path, url: str, sentence: str) -> None:
    said = refusal(DATA_DIR=str(tmp_path), DATABASE_URL=url, PORTS=str(free_ports(1)[0]))

    assert sentence in said


def test_a_wrong_setting_is_told(tmp_path: Path) -> None:
    assert "PORTS takes" in refusal(DATA_DIR=str(tmp_path), PORTS="x")


def test_a_command_needs_one_that_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "standalone", "admin", "create-admin", "Operator"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "Matinee is not running" in done.stderr


def holders(origin: Standalone) -> dict[str, str | None]:
    """Return who does each duty."""
    with closing(sqlite3.connect(origin.data_dir / "matinee.db", timeout=10)) as database:
        return dict(database.execute("SELECT name, holder FROM leases"))


def test_duties_are_taken_at_once_after_a_kill_and_given_up_at_the_end(tmp_path: Path) -> None:
    origin = Standalone(tmp_path, free_ports(3))
    database = connect(f"sqlite:///{tmp_path / 'matinee.db'}")
    with database.engine.begin() as connection:
        upgrade(connection)
    names = ("janitor", "restore masters")
    for name in names:
        assert Duty(database, name, "killed", seconds=3600).hold()
    database.engine.dispose()

    origin.start()
    try:
        wait_until(
            lambda: not {None, "killed"} & set(holders(origin).values()),
            within=20,
            what="both duties",
        )
    finally:
        origin.stop()
    assert holders(origin) == dict.fromkeys(names)
