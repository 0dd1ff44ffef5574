"""A service that is told to stop: first it is not ready, then it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Site
from tests.waiting import wait_until

SERVICE = """
import signal, sys
from common.process.drain import is_draining
def end(*_):
    print("term", is_draining(), flush=True)
    sys.exit(7)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGHUP, lambda *_: print("hup", flush=True))
print("started", is_draining(), flush=True)
for line in sys.stdin:
    print("asked", is_draining(), flush=True)
"""


class Service:
    """A service under the program."""

    def __init__(self, **environment: str) -> None:
        command = [sys.executable, "-m", "common.process.drain", sys.executable, "-c", SERVICE]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )

    def says(self) -> str:
        """Return the next line that the service writes."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self) -> str:
        """Ask the service whether it is draining."""
        assert self.process.stdin is not None
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        return self.says()


@pytest.fixture
def service() -> Iterator[Service]:
    """A service that waits for ten minutes before it stops."""
    found = Service(DRAIN_DELAY="600")
    with found.process:
        assert found.says() == "started False"
        yield found
        found.process.kill()


def test_a_service_that_is_to_stop_goes_on_first(service: Service) -> None:
    service.process.send_signal(signal.SIGTERM)
    wait_until(lambda: service.ask() == "asked True", within=10, what="the end to begin")

    service.process.send_signal(signal.SIGTERM)

    assert service.says() == "term True"
    assert service.process.wait(10) == 7


def test_other_signals_are_passed_on_at_once(service: Service) -> None:
    service.process.send_signal(signal.SIGHUP)
    assert service.says() == "hup"

    service.process.send_signal(signal.SIGQUIT)
    assert service.process.wait(10) == 128 + signal.SIGQUIT


@pytest.mark.parametrize("delay", ["0", "1"])
def test_the_signal_comes_after_the_delay(delay: str) -> None:
    service = Service(DRAIN_DELAY=delay)
    with service.process:
        assert service.says() == "started False"
        service.process.send_signal(signal.SIGTERM)

        assert service.says() == f"term {delay != '0'}"
        assert service.process.wait(10) == 7


def test_a_wrong_delay_is_named() -> None:
    service = Service(DRAIN_DELAY="soon")
    with service.process:
        assert service.process.wait(10) == 1
        assert service.process.stderr is not None
        assert "DRAIN_DELAY is 'soon'" in service.process.stderr.read()


def test_readiness_fails_while_it_drains(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "draining"
    monkeypatch.setenv("DRAIN_FILE", str(file))
    client = site.apps["auth"].test_client()
    assert client.get("/readyz").status_code == 200

    file.touch()

    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"service": "is stopping"})
    assert client.get("/healthz").status_code == 200
