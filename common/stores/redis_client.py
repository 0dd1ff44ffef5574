"""The Redis client, with timeouts that turn an unreachable server into an error within a second.

Redis may be one server, or several of which Sentinel knows the one that takes writes.
"""

import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from redis import BlockingConnectionPool, ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

# Per process. A gevent worker may have thousands of requests at once; the others wait their turn.
_CONNECTIONS = 300
_PROMPT: Mapping[str, Any] = {
    "socket_connect_timeout": 0.3,  # seconds
    "socket_timeout": 0.5,
    "protocol": 2,
}
_WAIT = 3  # seconds until a request that gets no connection is answered with 503
_PAUSE = 0.5  # seconds after a failure in which nobody else tries to connect


_SENTINEL = "redis+sentinel"


class _CircuitBreaker(ConnectionPool):
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
            connection: Connection = super().get_connection()
            return connection
        except (RedisConnectionError, RedisTimeoutError):
            self._open_until = time.monotonic() + _PAUSE
            raise


class CircuitBreakerPool(_CircuitBreaker, BlockingConnectionPool):
    """The connections to one server."""


class SentinelPool(_CircuitBreaker, SentinelConnectionPool):
    """The connections to the server that Sentinel names; after a failover to the new one."""


def connect_redis(url: str, *, patience: float = 0) -> Redis:
    """Make a client of a URL. It connects at the first command.

    `redis://` and `unix://` lead to one server. The others are

        redis+sentinel://user:password@one:26379,two:26379/name/0

    which leads to the server that the sentinels `one` and `two` know as the master `name`. User and
    password are the server's, and 0 is the number of its database.

    A connection that the server has closed is opened anew. A server that does not answer within
    half a second raises `redis.exceptions.RedisError`; the caller then denies.

    :param patience: seconds that a command may wait on the server, such as `BLPOP`.
    :raises ValueError: the URL cannot be understood.
    """
    options: dict[str, Any] = {
        "max_connections": _CONNECTIONS,
        "decode_responses": True,
        "retry": Retry(NoBackoff(), 0),
        **_PROMPT,
        "socket_timeout": _PROMPT["socket_timeout"] + patience,
    }
    if url.startswith(f"{_SENTINEL}:"):
        return Redis.from_pool(_sentinel_pool(url, options))
    return Redis.from_pool(CircuitBreakerPool.from_url(url, timeout=_WAIT, **options))


def _sentinel_pool(url: str, options: Mapping[str, Any]) -> ConnectionPool:
    parts = urlsplit(url)
    login, _, addresses = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    match = re.fullmatch(r"/([A-Za-z0-9_.-]+)(?:/([0-9]+))?", parts.path)
    sentinels = [_address(one) for one in addresses.split(",")]
    if match is None:
        raise ValueError("REDIS_URL names no master: redis+sentinel://host:26379/master/0")
    manager = Sentinel(sentinels, sentinel_kwargs=dict(_PROMPT))  # type: ignore[no-untyped-call]
    given = {
        "username": unquote(user) or None,
        "password": unquote(password) or None,
        "db": int(match[2] or 0),
    }
    return SentinelPool(match[1], manager, **given, **options)  # type: ignore[no-untyped-call]


def _address(written: str) -> tuple[str, int]:
    host, _, port = written.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"REDIS_URL has the sentinel {written!r}; it takes host:26379")
    return host.strip("[]"), int(port)
