"""The two ways to run Matinee, each with empty stores of its own."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis

from benchmarks.account import Account, log_in, register
from benchmarks.processes import descendants, docker, free_ports, pids_in, running
from benchmarks.report import ROOT
from common.access import Viewer
from common.stores.sessions import SessionStore
from db.models import Role

_HOUR = 3600
_FIRST_VIEWER = 10_000  # the id of the first of the people without accounts
_READY = "Matinee is ready"
_START = 60  # seconds a site has to start


@dataclass(frozen=True)
class Site:
    """A running Matinee.

    :ivar url: for Compose, the gateway's own address, since what Docker publishes on 127.0.0.1
        goes through a proxy of Docker's.
    :ivar admin: its first account.
    :ivar parts: process ids, by part.
    :ivar videos: the folder of videos, if this machine can see it.
    """

    name: str
    url: str
    admin: Account
    parts: dict[str, tuple[int, ...]]
    videos: Path | None
    _uploaders: list[Account] = field(default_factory=list)

    def pids(self, *parts: str) -> tuple[int, ...]:
        """Return the processes of some parts."""
        return tuple(pid for part in parts for pid in self.parts[part])

    def uploaders(self, count: int) -> list[Account]:
        """Return as many different accounts that may upload, signed in."""
        while len(self._uploaders) < count:
            name = f"u{secrets.token_hex(6)}"
            self.admin.create_account(name, "uploader")
            self._uploaders.append(log_in(self.url, name))
        return self._uploaders[:count]


@dataclass(frozen=True, kw_only=True)
class ComposeSite(Site):
    """The Compose stack.

    :ivar gateway: the id of the gateway's container.
    :ivar address: of the gateway; `streaming` likewise.
    :ivar redis_url: of the session store, with the rights of the auth service.
    :ivar volume: the name of the volume of videos.
    """

    gateway: str
    address: str
    streaming: str
    redis_url: str
    volume: str
    project: str

    @property
    def peer(self) -> str:
        """The name for a container that is compared with this stack."""
        return f"{self.project}-peer"

    def container(self, service: str) -> str:
        """Return the id of a service's container."""
        return docker("ps", "--quiet", "--filter", f"name={self.project}-{service}-")

    def sign_in_viewers(self, count: int) -> tuple[str, ...]:
        """Begin sessions of as many different people, and return their tokens.

        Directly in the session store, since each login costs a password hash.
        """
        with Redis.from_url(self.redis_url, decode_responses=True) as redis:
            store = SessionStore(redis, ttl=_HOUR)
            people = (Viewer(_FIRST_VIEWER + n, f"viewer-{n}", Role.VIEWER) for n in range(count))
            return tuple(store.begin(who, device="wrk", address="127.0.0.1") for who in people)

    def put_viewers_into(self, groups: Sequence[str], count: int) -> None:
        """Make as many of the viewers members of groups, in the cache alone, for an hour."""
        with Redis.from_url(self.redis_url, decode_responses=True) as redis:
            for number in range(count):
                redis.set(f"groups:{_FIRST_VIEWER + number}", json.dumps(groups), ex=_HOUR)


@contextmanager
def standalone(folder: Path) -> Iterator[Site]:
    """Run Matinee without containers in an empty folder."""
    folder.mkdir(parents=True)
    ports = free_ports(3)
    # Its files are on the disk, even where the stack that is measured has an object store.
    own = {"DATA_DIR": str(folder / "data"), "PORTS": ",".join(map(str, ports)), "STORE": "disk"}
    env = os.environ | own
    log = folder / "output.log"
    command = [sys.executable, "-m", "standalone"]
    with running(command, log=log, env=env, cwd=ROOT) as pid:
        _wait_for_text(log, _READY)
        url = f"http://127.0.0.1:{ports[0]}"
        parts = {
            part: tuple(child for child, line in descendants(pid).items() if part in line)
            for part in ("caddy", "gunicorn", "valkey", "transcode_service")
        }
        videos = folder / "data" / "videos"
        yield Site("standalone", url, register(url, "alice"), parts, videos)


def _wait_for_text(log: Path, text: str) -> None:
    deadline = time.monotonic() + _START
    while text not in (found := log.read_text(encoding="utf-8")):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Matinee did not start: {found}")
        time.sleep(0.05)


@contextmanager
def compose(**settings: str) -> Iterator[ComposeSite]:
    """Build the images and run the stack under a name of its own, with empty volumes.

    :param settings: in place of the defaults.
    """
    project = f"matinee-benchmark-{os.getpid()}-{secrets.token_hex(2)}"
    ports = {f"PORT_{number}": str(port) for number, port in enumerate(free_ports(3), 1)}

    def run(*arguments: str) -> str:
        command = ["docker", "compose", "--project-name", project, *arguments]
        env = os.environ | ports | settings
        done = subprocess.run(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout.strip()

    run("build", "--quiet")
    try:
        run("up", "--detach", "--wait", "--quiet-pull")
        names = ("gateway", "auth", "upload", "streaming", "redis", "mysql")
        containers = {name: run("ps", "--all", "--quiet", name) for name in names}
        address = _address(containers["gateway"], f"{project}_front")
        url = f"http://{address}:5000"
        yield ComposeSite(
            name="gateway",
            url=url,
            admin=register(url, "alice"),
            parts={name: pids_in(container) for name, container in containers.items()},
            videos=None,
            gateway=containers["gateway"],
            address=address,
            streaming=_address(containers["streaming"], f"{project}_inside"),
            redis_url=docker(
                "exec", containers["auth"], "cat", "/run/secrets/redis-url.auth"
            ).replace("@redis:", f"@{_address(containers['redis'], f'{project}_stores')}:"),
            volume=f"{project}_videos",
            project=project,
        )
    finally:
        run("down", "--volumes", "--remove-orphans")


def _address(container: str, network: str) -> str:
    networks = json.loads(docker("inspect", container))[0]["NetworkSettings"]["Networks"]
    return str(networks[network]["IPAddress"])
