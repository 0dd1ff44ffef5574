"""The Redis client, with timeouts that turn an unreachable server into an error within a second."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry


def connect_redis(url: str) -> Redis:
    """Make a client of a URL (`redis://` or `unix://`). It connects at the first command.

    A connection that the server has dropped is opened anew once. A server that does not answer
    within half a second raises `redis.exceptions.RedisError`; the caller then denies.
    """
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=0.3,
        socket_timeout=0.5,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        protocol=2,
    )
