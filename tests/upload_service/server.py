"""A real gunicorn with the whole site, and a client that speaks to it byte by byte."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

from common.access import Viewer
from common.stores.redis_client import connect_redis
from common.stores.sessions import SessionStore
from common.web.auth import SESSION_COOKIE
from db.engine import Database
from db.models import Role, User
from tests.conftest import ROOT, free_ports
from tests.upload_service.forms import CONTENT_TYPE

LIMIT = 8 << 20  # bytes of one file


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Server:
    """The upload service under gunicorn as it is deployed: here with one worker."""

    def __init__(
        self,
        folder: Path,
        *,
        database: Database,
        redis_url: str,
        static: Path,
        videos_dir: Path | None = None,
        settings: Mapping[str, str] = {},
        application: str = "upload_service.app:from_environment()",
    ) -> None:
        self.videos_dir = videos_dir or folder / "videos"
        self.videos_dir.mkdir(exist_ok=True)
        self.database = database
        [self.port] = free_ports(1)
        self._log = (folder / "log").open("wb+")
        self.settings = {
            "DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
            "REDIS_URL": redis_url,
            "VIDEOS_DIR": str(self.videos_dir),
            "STATIC_DIR": str(static),
            "MAX_UPLOAD_SIZE": str(LIMIT),
            "BIND": f"127.0.0.1:{self.port}",
            "WORKERS": "1",
            **settings,
        }
        options = ["--config", "python:common.process.gunicorn_config", "--worker-class", "gevent"]
        options.append(application)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *options],
            env=os.environ | self.settings,
            cwd=ROOT,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._redis = connect_redis(redis_url)
        self._sessions = SessionStore(self._redis, ttl=3600)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with self.connect() as connection:
                    connection.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                    if connection.answer().status == 200:
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self.log()}")

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    def sign_in(self, name: str) -> str:
        """Return the token of somebody who may upload."""
        user = User(name=name, name_key=name, password_hash="-", role=Role.UPLOADER)
        self.database.write(lambda session: session.add(user))
        viewer = Viewer(id=user.id, name=name, role=Role.UPLOADER)
        return self._sessions.begin(viewer, device="a test", address="127.0.0.1")

    def connect(self) -> "Connection":
        return Connection(self.port)

    def worker(self) -> int | None:
        """Return the id of the process that answers, or None between two."""
        master = self._process.pid
        children = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii")
        return int(children.split()[0]) if children else None

    def answers(self) -> bool:
        """Tell whether a client that comes now gets an answer."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                client.sendall(b"HEAD /healthz HTTP/1.0\r\n\r\n")
                return bool(client.recv(1))
        except OSError:
            return False

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        self.terminate()
        self._process.wait(40)
        self._redis.close()
        self._log.close()


class Connection:
    """A connection on which anything may be sent."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def begin(self, token: str | None, *, length: int | None, **headers: str) -> None:
        """Send the head of an upload; without a length, in chunks."""
        lines = {
            "Host": "127.0.0.1",
            "Content-Type": CONTENT_TYPE,
            "Accept": "application/json",
            **({"Cookie": f"{SESSION_COOKIE}={token}"} if token else {}),
            **({"Transfer-Encoding": "chunked"} if length is None else {}),
            **({"Content-Length": str(length)} if length is not None else {}),
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.send(f"POST /upload HTTP/1.1\r\n{head}\r\n".encode())

    def reset(self) -> None:
        """Leave at once, without a goodbye."""
        linger = b"\1\0\0\0\0\0\0\0"
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()

    def answer(self, method: str | None = None) -> Answer:
        response: Any = HTTPResponse(self.socket, method=method)
        response.begin()
        return Answer(response.status, dict(response.getheaders()), response.read())


def chunked(body: bytes, size: int = 50_000) -> bytes:
    """Return a body in chunked coding (RFC 9112, 7.1)."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
