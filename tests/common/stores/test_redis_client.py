"""The Redis client: an unreachable server is an error soon, and requests share connections."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from common.stores.redis_client import connect_redis


def test_requests_beyond_the_connections_wait_for_their_turn(redis_url: str) -> None:
    with connect_redis(redis_url) as client, ThreadPoolExecutor(250) as pool:
        asked = [pool.submit(client.blpop, ["nothing"], timeout=0.2) for _ in range(250)]

        assert [each.result() for each in asked] == [None] * 250


def test_nobody_at_the_address_is_an_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        with connect_redis(url) as client, pytest.raises(RedisConnectionError):
            client.ping()


def test_a_server_that_does_not_answer_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with connect_redis(url) as client, pytest.raises(RedisError):
            client.ping()


def test_a_connection_that_was_dropped_is_opened_anew(redis_url: str) -> None:
    with connect_redis(redis_url) as client, connect_redis(redis_url) as other:
        client.ping()
        other.client_kill_filter(skipme=True)
        assert client.ping()


def test_after_a_failure_nobody_waits_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        with connect_redis(url) as client:
            with pytest.raises(RedisConnectionError):
                client.ping()
            looked_up: list[object] = []
            monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: looked_up.append(args))
            with pytest.raises(RedisConnectionError, match="a moment ago"):
                client.ping()
            assert looked_up == []
