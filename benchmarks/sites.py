"""A Matinee of the benchmarks' own: the embedded one, or the Compose stack."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from benchmarks.processes import pids_in
from common.access import Viewer
from common.stores.sessions import SessionStore
from db.models import Role
from tests.containers import docker
from tests.gateway.harness import free_ports
from tests.system.origin import Compose, Standalone
from tests.system.people import Person, sign_up

COOKIE = "matinee_session"
ADMIN = "alice"
_HOUR = 3600


@dataclass(frozen=True)
class Site:
    """Where it is, who its administrator is, and which processes its parts are made of.

    :ivar url: for Compose, the gateway's own address: what Docker publishes on 127.0.0.1 goes
        through a proxy of Docker's.
    :ivar videos: where the files are, if this machine can see them.
    :ivar parts: processes by part; standalone, `gunicorn` is all there is of the services, and
        `caddy` is in front of them.
    """

    name: str
    url: str
    admin: Person
    parts: dict[str, tuple[int, ...]]
    videos: Path | None

    def pids(self, *parts: str) -> tuple[int, ...]:
        """Return the processes of some parts."""
        return tuple(pid for part in parts for pid in self.parts[part])

    @property
    def cookie(self) -> str:
        """What the administrator's browser sends."""
        return f"{COOKIE}={self.admin.cookies[COOKIE]}"


@dataclass(frozen=True)
class ComposeSite(Site):
    """The stack, and where its parts are."""

    gateway: str
    address: str
    streaming: str
    redis: str
    volume: str

    def sign_in_strangers(self, count: int) -> tuple[str, ...]:
        """Begin sessions of as many different people, and return their tokens.

        Straight in the session store, with the services' own code: signing in costs a password
        hash each, on purpose, and leaves exactly this behind.
        """
        with Redis(host=self.redis, decode_responses=True) as redis:
            store = SessionStore(redis, ttl=_HOUR)
            people = (Viewer(10_000 + n, f"viewer-{n}", Role.VIEWER) for n in range(count))
            return tuple(store.begin(who, device="wrk", address="127.0.0.1") for who in people)


@contextmanager
def standalone(folder: Path) -> Iterator[Site]:
    """Run the embedded one in an empty folder."""
    folder.mkdir(parents=True)
    origin = Standalone(folder, free_ports(3), REGISTRATIONS_PER_HOUR="1000")
    origin.start()
    try:
        parts: dict[str, list[int]] = {"gunicorn": [], "valkey": [], "caddy": []}
        for pid, command in origin.children().items():
            for part, found in parts.items():
                if part in command:
                    found.append(pid)
        pids = {part: tuple(found) for part, found in parts.items()}
        videos = folder / "videos"
        yield Site("standalone", origin.url, sign_up(origin.url, ADMIN), pids, videos)
    finally:
        origin.remove()


@contextmanager
def compose() -> Iterator[ComposeSite]:
    """Build the images and run the stack under a name of its own, with empty volumes."""
    project = f"matinee-benchmark-{os.getpid()}"
    origin = Compose(project, free_ports(3))
    origin.build()
    try:
        origin.start()
        names = ("gateway", "auth", "upload", "streaming", "redis", "mysql")
        containers = {name: origin.container(name) for name in names}
        pids = {name: pids_in(container) for name, container in containers.items()}
        address = _address(containers["gateway"], f"{project}_front")
        url = f"http://{address}:5000"
        yield ComposeSite(
            name="gateway",
            url=url,
            admin=sign_up(url, ADMIN),
            parts=pids,
            videos=None,
            gateway=containers["gateway"],
            address=address,
            streaming=_address(containers["streaming"], f"{project}_inside"),
            redis=_address(containers["redis"], f"{project}_stores"),
            volume=f"{project}_videos",
        )
    finally:
        origin.remove()


def _address(container: str, network: str) -> str:
    networks = json.loads(docker("inspect", container))[0]["NetworkSettings"]["Networks"]
    return str(networks[network]["IPAddress"])
