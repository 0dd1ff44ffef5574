"""The way to Redis, with time limits that turn an absent store into an answer within a second."""

import socket
import threading
import time
from dataclasses import dataclass

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection, Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

_PAUSE = 0.5  # seconds


@dataclass
class Breaker:
    """Remembers that connecting failed a moment ago, so that not every request waits for it."""

    closed_until: float = 0.0

    def check(self) -> None:
        """:raises redis.exceptions.ConnectionError: connecting has failed a moment ago."""
        if time.monotonic() < self.closed_until:
            raise RedisConnectionError("Redis could not be reached a moment ago")

    def trip(self) -> None:
        """Note that connecting has just failed."""
        self.closed_until = time.monotonic() + _PAUSE


class Address:
    """The number behind a host's name, looked up where no request waits for it.

    Where a container is gone its name is too, and finding that out takes a second. So the last
    number counts until there is another, and one that does not answer is looked up on the side.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._number: str | None = None
        self._looking = threading.Lock()

    def number(self) -> str:
        """Return the address to connect to.

        :raises redis.exceptions.ConnectionError: the name is nobody's, and never was.
        """
        if self._number is None:
            try:
                self._number = self._look_up()
            except OSError as error:
                raise RedisConnectionError(f"{self._host}: {error}") from error
        return self._number

    def renew(self) -> None:
        """Begin to look the name up again, until it is somebody's."""
        if self._looking.acquire(blocking=False):
            threading.Thread(target=self._find, daemon=True).start()

    def _find(self) -> None:
        try:
            while True:
                try:
                    self._number = self._look_up()
                except OSError:
                    time.sleep(_PAUSE / 2)
                else:
                    return
        finally:
            self._looking.release()

    def _look_up(self) -> str:
        return str(socket.getaddrinfo(self._host, None, type=socket.SOCK_STREAM)[0][4][0])


def _guarded(
    kind: type[AbstractConnection], breaker: Breaker, address: Address | None
) -> type[AbstractConnection]:
    """Return a kind of connection that is not made while the breaker says no."""

    class GuardedConnection(kind):  # type: ignore[misc, valid-type]
        def connect(self) -> None:
            if self._sock is not None:
                return
            breaker.check()
            try:
                if address is not None:
                    self.host = address.number()
                super().connect()
            except (RedisConnectionError, RedisTimeoutError):
                breaker.trip()
                if address is not None:
                    address.renew()
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
    # A certificate is for the name, so TLS goes on asking for it.
    plain = pool.connection_class is Connection
    address = Address(pool.connection_kwargs.get("host", "localhost")) if plain else None
    pool.connection_class = _guarded(pool.connection_class, Breaker(), address)
    return client
