"""Matinee on a bare machine: the services behind Caddy, with nothing but Python.

    python -m standalone                        until Ctrl-C or SIGTERM
    python -m standalone admin COMMAND ...      while it runs: an operator's command, see `cli`

Everything is kept in `DATA_DIR` (default `./data`). This brings the database up to date, starts all
programs, starts again what ends by itself, and on Ctrl-C or SIGTERM lets answers under way finish.
"""

import errno
import gc
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, NoReturn

from sqlalchemy.exc import ArgumentError, OperationalError

from common.duty import free_duties
from common.file_lock import try_lock
from common.process.supervisor import Program, Supervisor
from common.settings import Environment, SettingsError
from db.engine import DatabaseUnavailable, connect
from db.schema import upgrade
from standalone import programs
from standalone.reserve import keep_reserve
from standalone.settings import StandaloneSettings

_GRACE = 30  # seconds that answers under way get at the end
_START_LIMIT = 30  # seconds until everything must answer
_LOG = "matinee.log"


class _Stop(Exception):
    """Ctrl-C or SIGTERM."""


def _raise_stop(_signal: int, _frame: object) -> None:
    raise _Stop


def _prepare_folder(data_dir: Path) -> IO[bytes]:
    """Make the data folder, for this user alone, and keep a second Matinee from it."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        data_dir.chmod(0o700)
        (data_dir / "videos").mkdir(exist_ok=True)
        file = (data_dir / "lock").open("wb")
    except OSError as error:
        sys.exit(f"DATA_DIR, {data_dir}, cannot be used: {error.strerror}: {error.filename}")
    if not try_lock(file.fileno()):
        sys.exit(f"Matinee is running already with the data in {data_dir}.")
    return file


def _require_free(settings: StandaloneSettings) -> None:
    family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
    for port in settings.listens:
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((settings.address, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                sys.exit(f"LISTEN_ADDRESS is {settings.address}; this machine has no such address.")
            names = "HTTP_PORT and HTTPS_PORT" if settings.domain else "PORTS=5100,5101,5102"
            sys.exit(
                f"Port {port} of {settings.address} cannot be used: {error.strerror}."
                f" End what uses it, or choose others with {names}."
            )


def _run_command(settings: StandaloneSettings, arguments: list[str]) -> NoReturn:
    """Hand a command on to `matinee`, with the settings of the Matinee that runs."""
    if not (settings.data_dir / programs.REDIS_URL_FILE).exists():
        sys.exit("Matinee is not running: start it first, with `make run`.")
    environ = programs.services_environ(settings, os.environ)
    os.execve(  # noqa: S606 (our own interpreter)
        sys.executable, [sys.executable, "-m", "cli", *arguments], environ
    )


def _migrate(database_url: str) -> None:
    try:
        database = connect(database_url)
        with database.engine.begin() as connection:
            upgrade(connection)
        if database.engine.dialect.name == "sqlite":
            free_duties(database)  # the data folder is ours: who held them has ended
    except ArgumentError as error:
        raise SettingsError(
            "DATABASE_URL cannot be understood; it takes a URL such as sqlite:////path/to/file."
        ) from error
    except OperationalError as error:
        sys.exit(f"The database cannot be used: {error.orig}")
    except DatabaseUnavailable as error:
        sys.exit(f"The database cannot be used: {error}")
    database.engine.dispose()


def _report(program: Program, status: int) -> None:
    print(f"The {program.name} ended ({status}) and is started again.", flush=True)


class Standalone:
    """One running Matinee: its supervisor, and its pipe for the log."""

    def __init__(self, settings: StandaloneSettings, environ: Mapping[str, str]) -> None:
        """:param environ: settings of the services; what standalone decides is added to them."""
        self._settings = settings
        self._environ = environ
        self._supervisor = Supervisor(_report)
        # Both ends stay open here: a log program that is started again loses nothing.
        self._pipe_out, self._pipe = os.pipe()
        self._log = Program(
            "log",
            [sys.executable, "-m", "standalone.logfile", str(settings.data_dir / _LOG)],
            folder=programs.ROOT,
            input=self._pipe_out,
        )
        self._stores: list[Program] = []
        self._sockets = programs.socket_folder(settings.data_dir)
        self._waits_for_certificate = False

    def start(self) -> None:
        """Start everything, and return when the services answer."""
        settings, start = self._settings, self._supervisor.start
        data_dir = settings.data_dir
        start(self._log)
        redis_url = settings.redis_url
        if redis_url == "embedded":
            store, redis_url = programs.session_store(data_dir, self._sockets, self._pipe)
            self._stores.append(store)
            start(store)
        (data_dir / programs.REDIS_URL_FILE).write_text(redis_url, encoding="utf-8")
        environ = programs.services_environ(settings, self._environ)
        _migrate(environ["DATABASE_URL"])
        sockets = {name: self._sockets / f"{name}.sock" for name in programs.SERVICES}
        for name, path in sockets.items():
            path.unlink(missing_ok=True)
            start(programs.service(name, path, environ, self._pipe))
        start(programs.front_server(settings, sockets, environ, self._pipe))
        self._wait_until_ready(sockets.values())
        # Pages come first: videos can be watched before they are prepared.
        start(programs.module("janitor", "upload_service.janitor", environ, self._pipe))
        start(programs.module("transcode service", "transcode_service", environ, self._pipe))

    def _wait_until_ready(self, sockets: Iterable[Path]) -> None:
        settings = self._settings
        deadline = time.monotonic() + _START_LIMIT
        waiting = list(sockets)
        while time.monotonic() < deadline:
            if any(
                p.process is None or p.process.poll() is not None for p in self._supervisor.programs
            ):
                break
            waiting = [path for path in waiting if not programs.is_healthy(path)]
            if not waiting and programs.accepts(settings.own_address, settings.listens[-1]):
                return
            time.sleep(0.02)
        sys.exit(f"Matinee did not start; the end of {settings.data_dir / _LOG} says why.")

    def keep_running(self) -> NoReturn:
        """Start again what ends, and keep room on the disk, until a signal."""
        ready = False
        while True:
            self._supervisor.poll()
            ready = ready or self._tell_when_ready()
            keep_reserve(self._settings.data_dir / "reserve")
            time.sleep(0.5)

    def _tell_when_ready(self) -> bool:
        """Print where the site is once it can be opened; tell whether it can.

        Caddy listens before it has its first certificate, which a public authority may refuse.
        """
        settings, log = self._settings, self._settings.data_dir / _LOG
        if settings.domain and not programs.has_certificate(
            settings.own_address, settings.https_port, domain=settings.domain
        ):
            if not self._waits_for_certificate:
                print(
                    f"Waiting for a certificate for {settings.domain}."
                    f" If none comes, the end of {log} says why.",
                    flush=True,
                )
            self._waits_for_certificate = True
            return False
        print("Matinee is ready:", *settings.urls, sep="\n  ", flush=True)
        print(f"Data and log are in {settings.data_dir}. Press Ctrl-C to stop.", flush=True)
        return True

    def stop(self) -> None:
        """Stop everything: stores after what uses them, and the log last."""
        last = [*self._stores, self._log]
        first = [program for program in self._supervisor.programs if program not in last]
        self._supervisor.stop(first, grace=_GRACE)
        self._supervisor.stop(self._stores, grace=_GRACE)
        os.close(self._pipe)
        os.close(self._pipe_out)
        self._supervisor.stop(grace=5)
        (self._settings.data_dir / programs.REDIS_URL_FILE).unlink(missing_ok=True)
        shutil.rmtree(self._sockets, ignore_errors=True)


def run(settings: StandaloneSettings, environ: Mapping[str, str]) -> None:
    """Run until told to stop. Returns once everything has ended."""
    with _prepare_folder(settings.data_dir):
        _require_free(settings)
        matinee = Standalone(settings, environ)
        try:
            matinee.start()
            matinee.keep_running()
        except _Stop:
            print("Stopping; answers under way may finish.", flush=True)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            matinee.stop()


def main() -> None:
    """Read the settings, and run, or carry out a command."""
    os.umask(0o077)
    try:
        settings = StandaloneSettings.read(Environment(os.environ))
        if sys.argv[1:]:
            _run_command(settings, sys.argv[1:])
        signal.signal(signal.SIGTERM, _raise_stop)
        signal.signal(signal.SIGINT, _raise_stop)
        run(settings, os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    except _Stop:
        return


if __name__ == "__main__":
    gc.freeze()  # nothing of what was imported is garbage: Python need not look at the end
    main()
