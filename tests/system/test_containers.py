"""The Compose stack as an operator meets it."""

import json
import os
import subprocess
from typing import Any

import pytest

from tests.containers import docker
from tests.system.deployment import Compose
from tests.system.http_client import Person
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


@pytest.mark.parametrize("service", [*OURS, *STORES])
def test_every_container_has_limits(origin: Compose, service: str) -> None:
    limits = inspect(origin, service)["HostConfig"]
    assert limits["PidsLimit"] > 0
    assert limits["Memory"] > 0


@pytest.mark.parametrize("service", ["gateway", "streaming"])
def test_whoever_only_reads_videos_cannot_write_them(origin: Compose, service: str) -> None:
    mounts = {mount["Destination"]: mount for mount in inspect(origin, service)["Mounts"]}
    assert mounts["/videos"]["RW"] is False


def test_the_gateway_cannot_open_unfinished_uploads(origin: Compose) -> None:
    with pytest.raises(AssertionError, match="Permission denied"):
        origin.run("gateway", "ls", "/videos/incoming")


STORE_KEY = {"s3-access-key", "s3-secret-key", "s3.json"}
SECRETS = {
    "gateway": set(),
    "auth": {"db-password.auth", "redis-url.auth"},
    "upload": {"db-password.upload", "redis-url.upload"} | STORE_KEY,
    "janitor": {"db-password.upload", "redis-url.upload"} | STORE_KEY,
    "streaming": {"db-password.streaming", "redis-url.streaming"} | STORE_KEY,
    "transcode": {"db-password.transcode", "redis-url.transcode"} | STORE_KEY,
}


@pytest.mark.parametrize("service", OURS)
def test_a_container_reads_its_own_secrets_alone(origin: Compose, service: str) -> None:
    look = "for file in /run/secrets/*; do [ ! -r $file ] || basename $file; done"
    assert set(origin.run(service, "sh", "-c", look).split()) == SECRETS[service]


def test_nobody_is_root_of_the_database_from_another_container(origin: Compose) -> None:
    """Neither with the password of a volume of old, nor with none."""
    attempt = (
        "import pymysql\n"
        "for password in ('matinee-root', 'root', ''):\n"
        "    try:\n"
        "        pymysql.connect(host='mysql', user='root', password=password)\n"
        "        print('signed in')\n"
        "    except pymysql.err.OperationalError as error:\n"
        "        print(error.args[0])\n"
    )
    assert set(origin.run("transcode", "python", "-c", attempt).split()) <= {"1045", "1130"}


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER USER root@localhost IDENTIFIED BY 'mine'",
        "GRANT SUPER ON *.* TO transcode",
        "SELECT * FROM mysql.user",
        "CREATE DATABASE mine",
    ],
)
def test_the_user_of_the_migrations_is_no_superuser(origin: Compose, statement: str) -> None:
    client = 'mysql -umigrate -p"$(cat $MYSQL_PASSWORD_FILE)" -e'
    with pytest.raises(AssertionError, match="denied"):
        origin.run("mysql", "sh", "-c", f'{client} "{statement}"')


FORGED = (
    "import os, redis\n"
    "url = open(os.environ['REDIS_URL_FILE']).read()\n"
    "client = redis.Redis.from_url(url, decode_responses=True)\n"
    "{command}\n"
)


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("transcode", "client.set('session:forged', 'x')"),
        ("transcode", "client.get('session:forged')"),
        ("transcode", "client.hgetall('sessions:1')"),
        ("transcode", "client.keys('*')"),
        ("transcode", "client.flushall()"),
        ("transcode", "client.config_get('*')"),
        ("transcode", "client.acl_list()"),
        ("transcode", 'client.eval(\'return redis.call("GET", "session:forged")\', 0)'),
        ("streaming", "client.set('session:forged', 'x')"),
        ("streaming", "client.delete('sessions:1')"),
        ("upload", "client.set('session:forged', 'x')"),
        ("auth", "client.lpush('jobs:wake', '1')"),
    ],
)
def test_a_service_has_no_way_to_what_is_not_its_own_in_redis(
    origin: Compose, service: str, command: str
) -> None:
    with pytest.raises(AssertionError, match=r"NoPermissionError|permissions to access"):
        origin.run(service, "python", "-c", FORGED.format(command=command))


def test_redis_takes_nobody_without_a_password(origin: Compose) -> None:
    ask = "import redis; redis.Redis('redis').get('session:x')"
    with pytest.raises(AssertionError, match="AuthenticationError"):
        origin.run("transcode", "python", "-c", ask)


@pytest.mark.parametrize("service", ["auth", "upload", "streaming", "gateway"])
def test_transcode_has_no_way_to_a_service(origin: Compose, service: str) -> None:
    ask = f"import socket; socket.create_connection(('{service}', 8000), 3)"
    with pytest.raises(AssertionError, match="gaierror"):
        origin.run("transcode", "python", "-c", ask)


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
    command = ["matinee", "admin", "create-admin", "Operator"]
    done = subprocess.run(
        ["docker", "exec", "--interactive", origin.container("auth"), *command],
        input="a long enough password\n",
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    assert "Operator" in alice.get("/admin/users?q=operator").text


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
