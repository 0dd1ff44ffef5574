"""A file sent by Flask's `send_file` on gunicorn, without authorisation."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, Response, send_file

from benchmarks.processes import free_ports, running, wait_for_descendants, with_descendants
from benchmarks.report import ROOT

_WORKERS = 2


def create_app() -> Flask:
    """Return an app of one route. `PEER_FILE` names the file."""
    app = Flask("send_file")
    path = os.environ["PEER_FILE"]

    @app.get("/video.mp4")
    def video() -> Response:
        return send_file(path, mimetype="video/mp4", conditional=True)

    return app


@contextmanager
def flask_send_file(folder: Path, file: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Run it, and yield the address of the file and the processes that serve it."""
    (port,) = free_ports(1)
    env = os.environ | {"PEER_FILE": str(file), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--keep-alive", "75"]
    command += ["--worker-class", "gthread", "--workers", str(_WORKERS), "--threads", "64"]
    command += ["--bind", f"127.0.0.1:{port}", "benchmarks.peers.flask_send_file:create_app()"]
    with running(command, log=folder / "flask.log", env=env) as pid:
        wait_for_descendants(pid, _WORKERS)
        yield f"http://127.0.0.1:{port}/video.mp4", with_descendants(pid)
