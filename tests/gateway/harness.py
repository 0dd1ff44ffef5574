"""The gateway's own configuration under the machine's nginx, with stand-ins for the services."""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from random import Random
from typing import Any

from tests.conftest import free_ports, is_listening
from tests.fake_service import Answer, FakeService, Reply, Seen

GATEWAY = Path(__file__).parents[2] / "gateway"
COOKIE = "matinee_session"
ALICE, BOB, CHARLIE = (name * 8 + "-token_of_43_characters" for name in ("alic", "bobb", "char"))
VISIT = "a-token_of_a_visit"
PEOPLE = {ALICE, BOB, CHARLIE}
VIDEO = "AAAAAAAAAAAAAAAAAAAAA0"
MEDIA = f"/stream/{VIDEO}/video.mp4"
BYTES = Random(1).randbytes(1000)


def newcomer() -> str:
    """Return the session of somebody new, about whom the gateway keeps no answer."""
    token = f"new{len(PEOPLE):05}-token_of_43_characters"
    PEOPLE.add(token)
    return token


class Gateway:
    """A running nginx with the project's configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.videos = folder / "videos"
        self.static = folder / "static"
        self.help = folder / "help"
        for made in (self.videos, self.static, self.help, folder / "etc", folder / "run"):
            made.mkdir()
        self.services = {name: FakeService(name) for name in ("auth", "upload", "streaming")}
        self.ports = free_ports(5)
        self.tls: ssl.SSLContext | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def streaming(self) -> FakeService:
        """The service that authorises media."""
        return self.services["streaming"]

    @property
    def health_port(self) -> int:
        """Where Compose's check asks."""
        return self.ports[3]

    def render(self, environment: Mapping[str, str]) -> None:
        """Do what the image's entrypoint does, with ports and upstreams of this test."""
        etc = self.folder / "etc"
        for conf in GATEWAY.glob("*.conf"):
            shutil.copy(conf, etc)
        (etc / "conf.d").mkdir()
        subprocess.run(
            [GATEWAY / "settings.sh"],
            env={
                "PATH": os.environ["PATH"],
                "CONF_DIR": str(etc / "conf.d"),
                "STATIC_DIR": str(self.static),
                "BUILDS_DIR": str(self.folder / "builds"),
                **environment,
            },
            check=True,
        )
        site = subprocess.run(
            ["envsubst", "${VIDEOS_DIR} ${STATIC_DIR} ${HELP_DIR}"],
            input=(GATEWAY / "templates/site.conf.template").read_bytes(),
            env={
                "PATH": os.environ["PATH"],
                "VIDEOS_DIR": str(self.videos),
                "STATIC_DIR": str(self.static),
                "HELP_DIR": str(self.help),
            },
            capture_output=True,
            check=True,
        ).stdout.decode()
        site = site.replace("listen 127.0.0.1:8081;", f"listen 127.0.0.1:{self.health_port};")
        (etc / "conf.d/site.conf").write_text(site)
        slices = (etc / "slices.conf").read_text().replace(":8082", f":{self.ports[4]}")
        (etc / "slices.conf").write_text(slices)
        ports = iter(self.ports)
        listen = (etc / "conf.d/listen.inc").read_text()
        listen = re.sub(r"listen \d+", lambda _: f"listen 127.0.0.1:{next(ports)}", listen)
        if _is_old():
            listen = listen.replace("http2 on;\n", "").replace(" ssl;", " ssl http2;")
        (etc / "conf.d/listen.inc").write_text(listen)
        # All that differs from the image's: `resolve` needs nginx 1.27.3 and Docker's DNS.
        upstreams = "".join(
            f"upstream {name} {{ server 127.0.0.1:{service.port} max_fails=0; keepalive 4; }}\n"
            for name, service in [*self.services.items(), ("questions", self.streaming)]
        )
        (etc / "conf.d/upstreams.conf").write_text(upstreams)

    def use_services(self, ports: Mapping[str, int]) -> None:
        """Lead to real services instead of the stand-ins of these names, from the next start on."""
        upstreams = self.folder / "etc/conf.d/upstreams.conf"
        text = upstreams.read_text()
        for name, port in ports.items():
            text = text.replace(f":{self.services[name].port} ", f":{port} ")
        upstreams.write_text(text)

    def start(self) -> None:
        """Run nginx until :meth:`stop`."""
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "nginx"
        user = "user root; " if os.geteuid() == 0 else ""
        config = self.folder / "etc/nginx.conf"
        command = [nginx, "-e", "/dev/stderr", "-p", str(self.folder / "run"), "-c", str(config)]
        with (
            (self.folder / "access.log").open("ab") as out,
            (self.folder / "error.log").open("ab") as err,
        ):
            self._process = subprocess.Popen(
                [*command, "-g", f"{user}daemon off;"], stdout=out, stderr=err
            )
        deadline = time.monotonic() + 10
        while not is_listening(self.ports[0]):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self.errors())
            time.sleep(0.02)

    def stop(self) -> None:
        """End nginx and the stand-ins."""
        if self._process:
            self._process.terminate()
            self._process.wait(10)
        for service in self.services.values():
            service.close()

    def kill(self) -> None:
        """End nginx without a warning, workers too, as when its container ends."""
        assert self._process is not None
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self._process.wait(10)

    def processes(self) -> list[int]:
        """Return nginx's processes: the one that was started, and its workers."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [pid, *map(int, children.split())]

    def workers(self) -> set[int]:
        """Return the processes of nginx that answer requests."""
        title = b"nginx: worker process"
        return {
            pid for pid in self.processes() if title in Path(f"/proc/{pid}/cmdline").read_bytes()
        }

    def reload(self) -> None:
        """Have nginx read its configuration again, as an operator does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def errors(self) -> str:
        """Return nginx's error log."""
        return (self.folder / "error.log").read_text()

    def log(self) -> list[dict[str, Any]]:
        """Return the access log, which must be JSON lines."""
        return [json.loads(line) for line in (self.folder / "access.log").read_text().splitlines()]

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        port: int | None = None,
    ) -> Answer:
        """Send one request, its path exactly as it is given."""
        where = ("127.0.0.1", port or self.ports[0])
        connection: HTTPConnection
        if self.tls is not None:
            connection = HTTPSConnection(*where, timeout=15, context=self.tls)
        else:
            connection = HTTPConnection(*where, timeout=15)
        sent = dict(headers or {})
        if token:
            sent["Cookie"] = f"{COOKIE}={token}"
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def send(self, request: bytes) -> bytes:
        """Send bytes as they are, and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.ports[0]), 10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def put_video(self, video: str, data: bytes = BYTES) -> Path:
        """Put a video's file where the upload service would."""
        folder = self.videos / video
        folder.mkdir(exist_ok=True)
        (folder / "original.mp4").write_bytes(data)
        return folder / "original.mp4"


def _is_old() -> bool:
    """Tell whether the machine's nginx has HTTP/2 as a parameter of `listen`, as before 1.25.1."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "nginx"
    told = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    version = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", told)
    assert version is not None
    return tuple(map(int, version.groups())) < (1, 25, 1)


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[Gateway]:
    """Run a gateway in a folder; the environment is what Compose gives its container."""
    gateway = Gateway(folder)
    try:
        gateway.render(environment)
        gateway.start()
        yield gateway
    finally:
        gateway.stop()


def place_of(seen: Seen) -> str:
    """Return where the file of a question is, under its video's folder."""
    name = seen.header("X-Media-Name") or ""
    if name in ("video.mp4", "download"):
        return "original.mp4"
    return "hls/master.m3u8" if name == "master.m3u8" else name


def allow_only(*allowed: str) -> Callable[[Seen], Reply]:
    """Answer as the streaming service does about a video that the given tokens may watch."""

    def reply(seen: Seen) -> Reply:
        if not seen.path.startswith("/internal/authorise"):
            return Reply(body=b"streaming")
        bearer = (seen.header("X-Bearer") or "").removeprefix("Bearer ")
        token = bearer or seen.header("X-Session-Token")
        if token in allowed:
            return Reply(204, {"X-Media-Path": f"{seen.header('X-Video')}/{place_of(seen)}"})
        return Reply(403 if token in PEOPLE else 401)

    return reply
