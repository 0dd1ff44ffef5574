"""The way to Redis, with time limits that turn an absent store into an answer within a second."""

import time
from dataclasses import dataclass

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

_PAUSE = 1.0  # seconds


@dataclass
class Breaker:
    """Remembers that connecting failed a moment ago, so that not every request waits to find out.

    Where the server is gone for good its name is too, and looking that up takes a second.
    """

    closed_until: float = 0.0

    def check(self) -> None:
        """:raises redis.exceptions.ConnectionError: connecting failed less than a second ago."""
        if time.monotonic() < self.closed_until:
            raise RedisConnectionError("Redis could not be reached a moment ago")

    def trip(self) -> None:
        """Note that connecting has just failed."""
        self.closed_until = time.monotonic() + _PAUSE


def _guarded(kind: type[AbstractConnection], breaker: Breaker) -> type[AbstractConnection]:
    """Return a kind of connection that is not made while the breaker says no."""

    class GuardedConnection(kind):  # type: ignore[misc, valid-type]
        def connect(self) -> None:
            if self._sock is None:
                breaker.check()
            try:
                super().connect()
            except (RedisConnectionError, RedisTimeoutError):
                breaker.trip()
                raise

    return GuardedConnection


def connect(url: str) -> Redis:
    """Make a client of a URL (`redis://` or `unix://`). Nothing is opened before the first call.

    A connection that the server has dropped is opened anew once; a server that does not answer
    within half a second raises `redis.exceptions.RedisError`, and the caller denies.
    """
    client = Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=0.3,
        socket_timeout=0.5,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        protocol=2,
    )
    pool = client.connection_pool
    pool.connection_class = _guarded(pool.connection_class, Breaker())
    return client
