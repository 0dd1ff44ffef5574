"""The way to Redis, with time limits that turn an absent store into an answer within a second."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry


def connect(url: str) -> Redis:
    """Make a client of a URL (`redis://` or `unix://`). Nothing is opened before the first call.

    A connection that the server has dropped is opened anew once; a server that does not answer
    within half a second raises `redis.exceptions.RedisError`, and the caller denies.
    """
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=0.3,
        socket_timeout=0.5,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        protocol=2,
    )
