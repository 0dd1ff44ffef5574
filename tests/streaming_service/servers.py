"""Real servers that hold one file of a video: ours standalone, and a plain nginx."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path

from tests.conftest import ROOT, free_ports

NGINX = """
daemon off;
master_process off;
{user}
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    default_type video/mp4;
    sendfile on;
    max_ranges 1;
    server {{
        listen 127.0.0.1:{port};
        location = {path} {{ alias {file}; }}
    }}
}}
"""


@dataclass(frozen=True)
class Answer:
    """What a client got."""

    status: int
    headers: HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Server:
    """A server that runs, and where its video is."""

    port: int
    path: str
    pid: int

    def ask(
        self,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        *,
        path: str | None = None,
        timeout: float = 10,
    ) -> Answer:
        """Send one request on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.putrequest(method, path or self.path, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """Return the processes that answer."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]


@contextmanager
def standalone(
    folder: Path, *, video_id: str, environment: Mapping[str, str], workers: int = 1
) -> Iterator[Server]:
    """Run the site as `make run` does, on a port of its own."""
    given = {
        "DELIVERY": "direct",
        "WORKERS": str(workers),
        "THREADS": "8",
        "WORKER_CLASS": "streaming_service.media_worker.MediaWorker",
        **environment,
    }
    path = f"/stream/{video_id}/video.mp4"
    with _gunicorn(folder, "standalone:application()", path, given) as server:
        yield server


@contextmanager
def behind_gateway(folder: Path, *, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run the streaming service as Compose does, on a port of its own."""
    given = {
        "DELIVERY": "gateway",
        "TRUST_GATEWAY": "true",
        "WORKERS": "1",
        "WORKER_CLASS": "streaming_service.worker.Worker",
        **environment,
    }
    app = "streaming_service.app:from_environment()"
    with _gunicorn(folder, app, "/healthz", given) as server:
        yield server


@contextmanager
def _gunicorn(folder: Path, app: str, path: str, given: Mapping[str, str]) -> Iterator[Server]:
    port = free_ports(1)[0]
    environment = {
        **os.environ,
        "STATIC_DIR": str(ROOT / "build" / "static"),
        "BIND": f"127.0.0.1:{port}",
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        **given,
    }
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:common.process.gunicorn_config",
        app,
    ]
    with (folder / "gunicorn.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
    server = Server(port, path, process.pid)
    try:
        _wait(server, process, folder / "gunicorn.log")
        yield server
    finally:
        process.terminate()
        process.wait()


@contextmanager
def nginx(folder: Path, *, video_id: str, file: Path) -> Iterator[Server]:
    """Run a plain nginx that serves one file, under the address that it has with us."""
    port, path = free_ports(1)[0], f"/stream/{video_id}/video.mp4"
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(user=user, port=port, path=path, file=file))
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert program is not None
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-p", folder, "-c", folder / "nginx.conf"], stdout=log, stderr=log
        )
    server = Server(port, path, process.pid)
    try:
        _wait(server, process, folder / "nginx.log")
        yield server
    finally:
        process.terminate()
        process.wait()


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            server.ask("HEAD")
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
