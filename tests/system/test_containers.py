"""The Compose stack as an operator meets it."""

import json
import os
import subprocess
from typing import Any

import pytest

from tests.containers import docker
from tests.system.origin import Compose
from tests.system.people import Person
from tests.waiting import wait_until

pytestmark = pytest.mark.compose_only

OURS = ("auth", "upload", "janitor", "streaming", "transcode", "gateway")
STORES = ("mysql", "redis")


def inspect(origin: Compose, service: str) -> dict[str, Any]:
    [facts] = json.loads(docker("inspect", origin.container(service)))
    assert isinstance(facts, dict)
    return facts


@pytest.mark.parametrize("service", [*OURS, *STORES])
def test_every_container_is_healthy(origin: Compose, service: str) -> None:
    assert inspect(origin, service)["State"]["Health"]["Status"] == "healthy"


def test_migrate_has_done_its_work(origin: Compose) -> None:
    assert inspect(origin, "migrate")["State"]["ExitCode"] == 0


@pytest.mark.parametrize("service", [*OURS, *STORES])
def test_only_the_gateway_publishes_ports(origin: Compose, service: str) -> None:
    published = inspect(origin, service)["HostConfig"]["PortBindings"] or {}
    assert bool(published) == (service == "gateway")
    assert all(one["HostIp"] == "127.0.0.1" for ones in published.values() for one in ones)


@pytest.mark.parametrize("service", OURS)
def test_our_containers_may_do_little(origin: Compose, service: str) -> None:
    facts = inspect(origin, service)
    assert facts["Config"]["User"] not in ("", "0", "root", "0:0")
    assert facts["HostConfig"]["ReadonlyRootfs"]
    assert facts["HostConfig"]["CapDrop"] == ["ALL"]
    assert not facts["HostConfig"]["CapAdd"]
    assert any("no-new-privileges" in option for option in facts["HostConfig"]["SecurityOpt"])
    assert not facts["HostConfig"]["Privileged"]


@pytest.mark.parametrize("service", ["gateway", "streaming"])
def test_whoever_only_reads_videos_cannot_write_them(origin: Compose, service: str) -> None:
    mounts = {mount["Destination"]: mount for mount in inspect(origin, service)["Mounts"]}
    assert mounts["/videos"]["RW"] is False


def test_the_gateway_cannot_open_unfinished_uploads(origin: Compose) -> None:
    with pytest.raises(AssertionError, match="Permission denied"):
        origin.run("gateway", "ls", "/videos/incoming")


@pytest.mark.parametrize("service", ["auth", "upload", "streaming", "transcode"])
def test_an_image_carries_only_what_its_service_uses(origin: Compose, service: str) -> None:
    listed = origin.run(service, "python", "-c", "import os; print(*os.listdir('/app'))").split()
    services = ("auth", "upload", "streaming", "transcode")
    others = {f"{other}_service" for other in services if other != service}
    assert not others & set(listed)
    assert f"{service}_service" in listed


@pytest.mark.parametrize("service", ["auth", "upload", "streaming"])
def test_a_service_is_ready_and_counts(origin: Compose, service: str) -> None:
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000{}').read().decode())"
    assert "ok" in origin.run(service, "python", "-c", ask.format("/readyz"))
    assert "matinee_requests_total" in origin.run(service, "python", "-c", ask.format("/metrics"))


def test_an_administrator_is_made_by_a_command(origin: Compose, alice: Person) -> None:
    command = ["python", "-m", "auth_service", "create-admin", "Operator"]
    done = subprocess.run(
        ["docker", "exec", "--interactive", origin.container("auth"), *command],
        input="a long enough password\n",
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    assert "Operator" in alice.get("/admin").text


def test_logs_are_json_and_one_id_is_found_in_gateway_and_service(
    origin: Compose, alice: Person
) -> None:
    request_id = alice.get("/stream").headers["X-Request-Id"]

    def found(service: str) -> list[str]:
        told = docker("logs", origin.container(service))
        return [line for line in told.splitlines() if request_id in line]

    for service in ("gateway", "streaming"):
        # The gateway writes its lines once a second.
        wait_until(lambda name=service: found(name) != [], within=5, what=f"the line of {service}")
        assert all(json.loads(line)["request_id"] == request_id for line in found(service))
