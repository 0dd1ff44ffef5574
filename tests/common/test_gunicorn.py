"""gunicorn with the settings that all services share."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.waiting import wait_until

TOLD = ("SCRIPT_NAME", "PATH_INFO", "wsgi.url_scheme", "REMOTE_ADDR")


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer with what gunicorn says about a request."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({name: environ[name] for name in TOLD}).encode()]


class UnixConnection(HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


@pytest.fixture(scope="module", params=["gthread", "gevent"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The socket of a running gunicorn."""
    path = tmp_path_factory.mktemp("gunicorn") / "app.sock"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:common.process.gunicorn_config",
    ]
    command += ["--worker-class", request.param, "--bind", f"unix:{path}"]
    process = subprocess.Popen(
        [*command, "tests.common.test_gunicorn:app"], cwd=ROOT, env={**os.environ, "WORKERS": "1"}
    )
    wait_until(path.exists, within=30, what="gunicorn")
    yield path
    process.terminate()
    process.wait()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"SCRIPT_NAME": "/stream"},
        {"PATH_INFO": "/login"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-SSL": "on"},
        {"X-Forwarded-Protocol": "ssl"},
        {"X-Forwarded-For": "10.9.9.9"},
        {"REMOTE_ADDR": "10.9.9.9"},
    ],
    ids=str,
)
def test_no_header_changes_what_gunicorn_says_about_a_request(
    server: Path, headers: dict[str, str]
) -> None:
    """By default it believes every peer on a Unix socket."""
    connection = UnixConnection(server)
    connection.request("GET", "/stream/login", headers=headers)
    told = json.load(connection.getresponse())
    connection.close()

    assert told == {
        "SCRIPT_NAME": "",
        "PATH_INFO": "/stream/login",
        "wsgi.url_scheme": "http",
        "REMOTE_ADDR": "",
    }
