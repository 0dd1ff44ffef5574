"""An absent store is an answer at once, and found again when it is back, wherever it is."""

import socket
from collections.abc import Callable
from threading import Event
from urllib.parse import urlsplit

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from common.redis import connect
from tests.conftest import free_ports
from tests.waiting import wait_until

NAME = "store.example"


class Names:
    """What the network answers about one name: an address, nothing, or no answer for a while."""

    def __init__(self) -> None:
        self.address: str | None = "127.0.0.1"
        self.answering = Event()
        self.answering.set()
        self.asked = 0
        self._really: Callable[..., list[tuple[object, ...]]] = socket.getaddrinfo

    def look_up(self, host: str, *args: object, **options: object) -> list[tuple[object, ...]]:
        """Stand in for `socket.getaddrinfo`."""
        if host == NAME:
            self.asked += 1
            assert self.answering.wait(10)
            if self.address is None:
                raise socket.gaierror("nobody has this name")
            host = self.address
        return self._really(host, *args, **options)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The network's names, for a while."""
    found = Names()
    monkeypatch.setattr(socket, "getaddrinfo", found.look_up)
    return found


def test_a_store_that_is_gone_is_not_looked_up_while_somebody_waits(names: Names) -> None:
    [port] = free_ports(1)
    client = connect(f"redis://{NAME}:{port}/0")
    with pytest.raises(RedisConnectionError):
        client.ping()

    names.answering.clear()  # as when the container is gone, and its name with it
    try:
        for _ in range(5):
            with pytest.raises(RedisConnectionError):
                client.ping()
    finally:
        names.answering.set()


@pytest.mark.parametrize(
    "before", ["127.0.0.2", None], ids=["an address where nobody listens", "no address yet"]
)
def test_a_store_that_comes_back_elsewhere_is_found(
    names: Names, redis_url: str, before: str | None
) -> None:
    names.address = before
    client = connect(f"redis://{NAME}:{urlsplit(redis_url).port}/0")
    with pytest.raises(RedisConnectionError):
        client.ping()

    names.address = "127.0.0.1"

    def answers() -> bool:
        try:
            return bool(client.ping())
        except RedisConnectionError:
            return False

    wait_until(answers, within=5, what="the store at its new address")


def test_a_connection_that_works_asks_for_no_name(names: Names, redis_url: str) -> None:
    client = connect(f"redis://{NAME}:{urlsplit(redis_url).port}/0")
    for _ in range(5):
        client.ping()
        client.connection_pool.disconnect()

    assert names.asked == 1
