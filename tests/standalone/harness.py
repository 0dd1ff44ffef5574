"""The front server of standalone with its own configuration, and stand-ins for the services."""

import resource
import socket
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from random import Random

from common.settings import Environment
from standalone import caddyfile
from standalone.programs import CADDY_GOGC
from standalone.settings import StandaloneSettings
from tests.conftest import free_ports, is_listening
from tests.fake_service import Answer, FakeService, Reply, Seen
from tests.waiting import wait_until

VIDEO = "AAAAAAAAAAAAAAAAAAAAA0"
MEDIA = f"/stream/{VIDEO}/video.mp4"
BYTES = Random(1).randbytes(1000)
NAMES = ("auth", "upload", "streaming")


class Front:
    """A running Caddy with the project's configuration.

    :param edit: changes the configuration, such as a limit that is too long for a test.
    """

    def __init__(self, folder: Path, *, edit: Callable[[str], str] = str, **settings: str) -> None:
        self.folder = folder
        self.videos, self.static = folder / "videos", folder / "static"
        self.help = folder / "help"
        for made in (self.videos, self.static, self.help):
            made.mkdir()
        (self.videos / VIDEO).mkdir()
        (self.videos / VIDEO / "original.mp4").write_bytes(BYTES)
        sockets = {name: folder / f"{name}.sock" for name in NAMES}
        self.services = {name: FakeService(name, path) for name, path in sockets.items()}
        self.services["streaming"].reply = grant
        ports = free_ports(5)
        given = {
            "DATA_DIR": str(folder),
            "PORTS": ",".join(map(str, ports[:3])),
            "HTTP_PORT": str(ports[3]),
            "HTTPS_PORT": str(ports[4]),
            "LISTEN_ADDRESS": "127.0.0.1",
            **settings,
        }
        self.settings = StandaloneSettings.read(Environment(given))
        self.ports = self.settings.listens
        text = caddyfile.render(
            self.settings,
            sockets=sockets,
            static_dir=self.static,
            videos_dir=self.videos,
            help_dir=self.help,
        )
        (folder / "Caddyfile").write_text(edit(text), encoding="utf-8")
        self._log = (folder / "caddy.log").open("wb")
        self.process = subprocess.Popen(
            [caddyfile.caddy(), "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"],
            stdout=self._log,
            stderr=self._log,
            env={"HOME": str(folder), "XDG_DATA_HOME": str(folder), "GOGC": CADDY_GOGC},
        )
        try:
            wait_until(self._accepts, within=20, what="Caddy")
        except AssertionError as error:
            self.close()
            raise AssertionError((folder / "caddy.log").read_text(encoding="utf-8")) from error

    def _accepts(self) -> bool:
        assert self.process.poll() is None, self.log()
        return self.is_listening()

    def is_listening(self) -> bool:
        """Tell whether all ports take connections."""
        return all(map(is_listening, self.ports))

    def log(self) -> str:
        """Return what Caddy wrote."""
        return (self.folder / "caddy.log").read_text(encoding="utf-8")

    @property
    def auth(self) -> FakeService:
        """The service that answers forms."""
        return self.services["auth"]

    @property
    def streaming(self) -> FakeService:
        """The service that authorises media."""
        return self.services["streaming"]

    @property
    def upload(self) -> FakeService:
        """The service that takes files."""
        return self.services["upload"]

    def ask(
        self,
        path: str = MEDIA,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
        port: int | None = None,
        timeout: float = 10,
    ) -> Answer:
        """Send one request on a connection of its own. A `Host` may be given."""
        connection = HTTPConnection("127.0.0.1", port or self.ports[0], timeout=timeout)
        try:
            given = dict(headers or {})
            connection.putrequest(
                method, path, skip_host="Host" in given, skip_accept_encoding=True
            )
            if body is not None:
                given["Content-Length"] = str(len(body))
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """Open a connection, and send nothing."""
        return socket.create_connection(("127.0.0.1", self.ports[0]), timeout=20)

    def close(self) -> None:
        """Stop Caddy and the stand-ins."""
        self.process.terminate()
        self.process.wait()
        self._log.close()
        for service in self.services.values():
            service.close()


def grant(seen: Seen) -> Reply:
    """Authorise every file of the one video; answer anything else with the service's name."""
    if seen.path != "/internal/authorise":
        return Reply(headers={"Content-Type": "text/plain"}, body=b"streaming")
    name = seen.headers["X-Media-Name"]
    place = "original.mp4" if name in ("video.mp4", "download") else name
    headers = {"X-Media-Path": f"{seen.headers['X-Video']}/{place}"}
    if name == "download":
        headers["X-Media-Disposition"] = 'attachment; filename="{env.HOME}.mp4"'
    return Reply(204, headers)


def raise_file_limit(count: int) -> None:
    """Let this process open so many files, if the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        with suppress(ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
