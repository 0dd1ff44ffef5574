"""Many who ask Redis at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from common.gathering import Gathering
from common.stores.redis_client import connect_redis

ASKING = 8


class Slow:
    """A Redis that answers each question once it is told to.

    :ivar asked: the keys of each.
    """

    def __init__(self, *, error: RedisError | None = None) -> None:
        self.asked: list[list[str]] = []
        self.may_answer = threading.Semaphore(0)
        self.was_asked = threading.Semaphore(0)
        self._error = error

    def client(self) -> "Slow":
        """Return one connection to it."""
        return self

    def mget(self, keys: list[str]) -> list[str | None]:
        """Return each key's own name."""
        self.asked.append(keys)
        self.was_asked.release()
        assert self.may_answer.acquire(timeout=10)
        if self._error is not None:
            raise self._error
        return [None if key == "nothing" else key for key in keys]


def ask_all(gathering: Gathering, redis: Slow, pool: ThreadPoolExecutor) -> list[Any]:
    """Have one ask, and the others while it waits."""
    first = pool.submit(gathering.get, ["first"])
    assert redis.was_asked.acquire(timeout=10)
    others = [pool.submit(gathering.get, [str(n), "nothing"]) for n in range(1, ASKING)]
    while len(gathering._waiting) < ASKING - 1:
        pass
    redis.may_answer.release(2)
    return [first, *others]


def test_who_asks_at_the_same_time_shares_a_round_trip() -> None:
    redis: Any = Slow()
    with ThreadPoolExecutor(ASKING) as pool:
        first, *others = ask_all(Gathering(redis), redis, pool)

        assert first.result() == ["first"]
        assert [other.result() for other in others] == [[str(n), None] for n in range(1, ASKING)]
    assert len(redis.asked) == 2


def test_all_who_asked_together_are_told_that_it_is_away() -> None:
    redis: Any = Slow(error=RedisConnectionError("away"))
    gathering = Gathering(redis)
    with ThreadPoolExecutor(ASKING) as pool:
        for asked in ask_all(gathering, redis, pool):
            with pytest.raises(RedisConnectionError, match="away"):
                asked.result()
    redis.may_answer.release()
    with pytest.raises(RedisConnectionError):  # and the next one asks anew
        gathering.get(["later"])


def test_one_who_is_ended_while_it_asks_keeps_nobody_waiting() -> None:
    class Ended(BaseException):
        """As gevent ends a greenlet."""

    redis: Any = Slow(error=Ended())  # type: ignore[arg-type]
    gathering = Gathering(redis)
    with ThreadPoolExecutor(ASKING) as pool:
        for asked in ask_all(gathering, redis, pool):
            assert isinstance(asked.exception(timeout=10), Ended | RedisConnectionError)


def test_what_is_asked_alone_is_what_redis_holds(redis_url: str) -> None:
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        redis.set("gathering:here", "text")
        redis.hset("gathering:list", "no", "string")

        found = Gathering(redis).get(["gathering:here", "gathering:none", "gathering:list"])

    assert found == ["text", None, None]


def test_a_connection_that_the_server_has_dropped_is_opened_anew(redis_url: str) -> None:
    with connect_redis(redis_url) as redis, connect_redis(redis_url) as other:
        other.set("gathering:here", "text")
        gathering = Gathering(redis)
        assert gathering.get(["gathering:here"]) == ["text"]
        other.client_kill_filter(_type="normal", skipme=True)
        assert gathering.get(["gathering:here"]) == ["text"]
