"""The Compose stack with two containers of each service, and no folder that two of them share."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import SETTINGS, free_ports
from tests.containers import docker
from tests.system.deployment import Compose
from tests.system.http_client import Person
from tests.waiting import wait_until

GATEWAYS = ("gateway", "gateway-2")
SERVICES = ("auth", "upload", "streaming", "transcode", "janitor", *GATEWAYS)


class Replicas(Compose):
    """Two of each service with uploads in the object store. The stores themselves are single.

    :ivar gateways: the URL of each gateway, by its service.
    :ivar errors: what gateways that were replaced have logged of errors.
    """

    def __init__(self, project: str, **settings: str) -> None:
        files = f"docker-compose.yml{os.pathsep}tests/system/replicas.yml"
        store = {"COMPOSE_PROFILES": "s3", "STORE": "s3", "UPLOAD_STORE": "s3"}
        sizes = {"CACHE_SIZE": "200m", "SCRATCH_SIZE": "400m"}
        workers = {f"{name}_WORKERS": "1" for name in ("AUTH", "UPLOAD", "STREAMING")}
        given = {**SETTINGS, **store, **sizes, **workers, "COMPOSE_FILE": files, **settings}
        super().__init__(project, free_ports(2), **given)
        self.errors: list[str] = []
        self.gateways = dict(zip(GATEWAYS, (self.url, *self.other_urls), strict=True))

    def remove(self) -> None:
        """Take everything away at once: nothing that stops gently is worth waiting for."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "0")

    def digest_of_incoming(self, upload: str, count: int) -> str:
        """Return "": nothing of an upload is on a disk."""
        return ""

    def replicas(self, service: str) -> list[str]:
        """Return the ids of a service's containers."""
        return self.compose("ps", "--all", "--quiet", service).split()

    def kill(self, container: str) -> None:
        """`kill -9` a container, and start it again at once."""
        docker("kill", container)
        docker("start", container)

    def wait_for(self, container: str) -> None:
        """Wait until a container says that it is healthy.

        :raises AssertionError: it does not, within a minute.
        """
        wait_until(lambda: _is_healthy(container), within=60, what=f"{container} healthy")

    def replace(self, service: str, container: str) -> None:
        """Stop a container as an operator would, and put a new one in its place."""
        docker("stop", "--time", "45", container)
        if service in self.gateways:
            self.errors += _errors(container)
        docker("rm", "--volumes", container)
        # `--no-recreate` leaves the others alone.
        self.compose("up", "--detach", "--wait", "--no-deps", "--no-recreate", service)

    def at_uploads(self, person: Person) -> list[Person]:
        """Return somebody as they speak to each upload container, past the gateway."""
        return [
            same_person(person, f"http://{docker('port', container, '8000').splitlines()[0]}")
            for container in self.replicas("upload")
        ]


def _errors(container: str) -> list[str]:
    logged = subprocess.run(["docker", "logs", container], check=True, capture_output=True)
    lines = (logged.stdout + logged.stderr).decode().splitlines()
    return [line for line in lines if re.search(r'"status":"5|\[(?:error|crit|alert)\]', line)]


def _is_healthy(container: str) -> bool:
    [facts] = json.loads(docker("inspect", container))
    return bool(facts["State"]["Health"]["Status"] == "healthy")


def same_person(person: Person, url: str) -> Person:
    """Return somebody in another browser that has their cookies."""
    other = Person(url)
    other.cookies.update(person.cookies)
    return other


@contextmanager
def running(**settings: str) -> Iterator[Replicas]:
    """Build and start a stack of a test's own, and remove it with all that is in it."""
    replicas = Replicas(f"matinee-replicas-{os.getpid()}", **settings)
    replicas.build()
    try:
        replicas.start()
        yield replicas
    finally:
        replicas.remove()
