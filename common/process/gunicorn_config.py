"""gunicorn's settings, shared by all services.

    gunicorn --config python:common.process.gunicorn_config ...

The worker class is given on the command line: `gthread` for auth, `gevent` for the services that
wait for clients. `BIND` holds the addresses to listen on, and `WORKERS` the number of processes; if
it is not set, one for each core this process may use, four at most: each holds up to 20
connections to the database, which takes 300 from all services together.
"""

import gc
import os
import resource
import shutil
import tempfile
from pathlib import Path
from typing import Any

from common.process import shutdown
from common.process.metrics_folder import make_metrics_folder

_MOST_WORKERS = 4
_MOST_CONNECTIONS = 8192  # of one worker, as the gateway's
_SPARE_FILES = 128  # for stores, logs and modules


def _raise_file_limit() -> int:
    """Let the workers open as many files as the system allows us, and return how many.

    A shell often begins with 1,024, which 500 viewers use up.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * _MOST_CONNECTIONS + _SPARE_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


bind = os.environ.get("BIND", "0.0.0.0:8000").split(",")
_affinity = getattr(os, "sched_getaffinity", None)  # not on every system
_cores = len(_affinity(0)) if _affinity else os.cpu_count() or 1
workers = int(os.environ.get("WORKERS") or min(_cores, _MOST_WORKERS))
threads = 16  # of a gthread worker; they wait for stores and disks, never for clients
worker_connections = min(_MOST_CONNECTIONS, (_raise_file_limit() - _SPARE_FILES) // 2)
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 (heartbeats in memory)
graceful_timeout = int(os.environ.get("GRACEFUL_TIMEOUT") or 30)
timeout = 60  # a worker that is stuck this long is replaced; a slow request in a thread is not
keepalive = 75  # longer than the front server keeps its connections, so that it closes them
control_socket_disable = True
loglevel = "warning"
accesslog = None  # common.logging_setup writes a line per request

# No header of a request changes what gunicorn tells the app. The front server's own are read by the
# app, where TRUST_GATEWAY says so. A peer on a Unix socket is trusted whatever the first line says.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# Processes of this service share their counters there, for this run.
_counters = make_metrics_folder(Path(worker_tmp_dir or tempfile.gettempdir()))
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_counters)


def post_worker_init(worker: Any) -> None:
    """Let streaming responses notice that the worker was told to stop.

    What was loaded is kept out of garbage collection, of which Python's at the end takes longest.
    """
    shutdown.set_shutdown_check(lambda: not worker.alive)
    gc.freeze()


def child_exit(_server: Any, worker: Any) -> None:
    """Let the metrics forget a process that ended."""
    # The library looks at the folder's variable when it is imported, so only now.
    from prometheus_client import multiprocess  # noqa: PLC0415

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Remove all counters: the next run starts at zero."""
    shutil.rmtree(_counters, ignore_errors=True)
