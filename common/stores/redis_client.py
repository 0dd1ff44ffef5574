"""The Redis client, with timeouts that turn an unreachable server into an error within a second."""

from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

# Per process. A gevent worker may have thousands of requests at once; the others wait their turn.
_CONNECTIONS = 300
_WAIT = 3  # seconds until a request that gets no connection is answered with 503


def connect_redis(url: str) -> Redis:
    """Make a client of a URL (`redis://` or `unix://`). It connects at the first command.

    A connection that the server has dropped is opened anew once. A server that does not answer
    within half a second raises `redis.exceptions.RedisError`; the caller then denies.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_WAIT,
        decode_responses=True,
        socket_connect_timeout=0.3,
        socket_timeout=0.5,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        protocol=2,
    )
    return Redis.from_pool(pool)
