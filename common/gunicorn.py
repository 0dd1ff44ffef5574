"""gunicorn's settings, shared by all services: `gunicorn --config python:common.gunicorn ...`.

Threads carry a service; the streaming service runs on gevent behind the gateway, where it sends no
bytes of videos and only answers small questions.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from common import closing

bind = os.environ.get("BIND", "0.0.0.0:8000").split(",")
workers = int(os.environ.get("WORKERS") or min(os.cpu_count() or 1, 4))
threads = int(os.environ.get("THREADS") or 16)
worker_class = os.environ.get("WORKER_CLASS", "gthread")
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 (heartbeats in memory)
graceful_timeout = int(os.environ.get("GRACEFUL_TIMEOUT") or 30)
timeout = 60  # a worker that is stuck this long is replaced; a slow request in a thread is not
keepalive = 75  # longer than the gateway keeps its connections, so that it closes them
control_socket_disable = True
loglevel = "warning"
accesslog = None  # common.log writes a line per request

# Where the processes of this service put their counters together. It lives as long as this run.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="matinee-metrics-")


def post_worker_init(worker: Any) -> None:
    """Let answers that go on for long see that the worker was told to stop."""
    closing.ask_with(lambda: not worker.alive)


def child_exit(_server: Any, worker: Any) -> None:
    """Let the metrics forget a process that ended."""
    # The library looks at the folder's variable when it is imported, so only now.
    from prometheus_client import multiprocess  # noqa: PLC0415

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Forget all counters: the next run begins at nought."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
