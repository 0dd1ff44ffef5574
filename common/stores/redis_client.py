"""The Redis client, with timeouts that turn an unreachable server into an error within a second."""

import time
from typing import Any

from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

# Per process. A gevent worker may have thousands of requests at once; the others wait their turn.
_CONNECTIONS = 300
_WAIT = 3  # seconds until a request that gets no connection is answered with 503
_PAUSE = 0.5  # seconds after a failure in which nobody else tries to connect


class CircuitBreakerPool(BlockingConnectionPool):
    """A connection pool that fails at once for a moment after it could not connect.

    Where a container is gone its name is too, and looking that up takes a second. Only one request
    in half a second waits for it.
    """

    _open_until = 0.0

    def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> Connection:
        """Return a connection.

        :raises redis.exceptions.ConnectionError: there is none, or there was none a moment ago.
        """
        if time.monotonic() < self._open_until:
            raise RedisConnectionError("Redis could not be reached a moment ago")
        try:
            connection: Connection = super().get_connection()  # type: ignore[no-untyped-call]
            return connection
        except (RedisConnectionError, RedisTimeoutError):
            self._open_until = time.monotonic() + _PAUSE
            raise


def connect_redis(url: str) -> Redis:
    """Make a client of a URL (`redis://` or `unix://`). It connects at the first command.

    A connection that the server has closed is opened anew. A server that does not answer within
    half a second raises `redis.exceptions.RedisError`; the caller then denies.
    """
    pool = CircuitBreakerPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_WAIT,
        decode_responses=True,
        socket_connect_timeout=0.3,
        socket_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    return Redis.from_pool(pool)
