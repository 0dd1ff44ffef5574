"""Rate limits, counted in Redis for all processes together.

Wrong passwords count per network and name (known or not), and per network alone. So neither one
account nor a list of accounts can be guessed, and the right password from another network still
works. A network is an IPv4 address, or an IPv6 /64, which one subscriber has as a whole.

Flask-Limiter limits attempts to register before the view. Wrong passwords and new accounts are
counted here with its strategy: its own conditional limits check before the view and count after it,
so a hundred simultaneous guesses would all be answered. A request is also refused, whether its
password was right or wrong, if others reach the limit while its hash is computed.
"""

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from flask import Flask, Response
from flask_limiter import Limiter, RateLimitExceeded
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from redis import Redis

from common.errors import MatineeError
from common.web.auth import client_address
from common.web.error_handlers import render_error

_WRONG_FOR_NAME = RateLimitItemPerMinute(10, 15, namespace="wrong-for-name")
_WRONG_FROM_NETWORK = RateLimitItemPerMinute(100, 15, namespace="wrong-from-network")
_ATTEMPTS_PER_ACCOUNT = 5  # per account that may be created: people mistype

_Count = tuple[RateLimitItem, str]


class RateLimited(MatineeError):
    """Too many requests of one kind in too short a time.

    :param seconds: until the next one is accepted.
    """

    status = 429

    def __init__(self, seconds: int) -> None:
        minutes = math.ceil(seconds / 60)
        wait = "a minute" if minutes <= 1 else f"{minutes} minutes"
        super().__init__(f"That was tried too often. Try again in {wait}.")
        self.headers["Retry-After"] = str(seconds)


class RateLimits:
    """The rate limits of one app.

    While Redis is unavailable, Flask-Limiter counts in memory; nobody can log in meanwhile anyway.

    :param redis: the app's own client; its connections and short time limits are used.
    :param registrations_per_hour: accounts that may be created from one network.
    """

    def __init__(self, redis: Redis, *, registrations_per_hour: int) -> None:
        pool: dict[str, Any] = {"connection_pool": redis.connection_pool}
        self._limiter = Limiter(
            _client_network,
            storage_uri="redis://",  # names the kind only: the pool has the address
            storage_options=pool,
            strategy="fixed-window",
            in_memory_fallback_enabled=True,
        )
        self._registrations = RateLimitItemPerHour(
            registrations_per_hour, 1, namespace="registered"
        )
        attempts = f"{registrations_per_hour * _ATTEMPTS_PER_ACCOUNT} per hour"
        self.limit_attempts = self._limiter.limit(attempts, methods=["POST"])

    def init_app(self, app: Flask) -> None:
        """Count the requests of an app, and answer those over the limit."""
        self._limiter.init_app(app)
        app.register_error_handler(RateLimitExceeded, self._answer_flood)

    def check_password_limit(self, *, name_key: str, address: str) -> None:
        """Check that this network may try another password, for this name and at all.

        Ask before a hash is computed, and again before a right password is believed.

        :raises RateLimited: with the time until the next try.
        """
        self._require_remaining(_wrong_passwords(name_key, address))

    def record_wrong_password(self, *, name_key: str, address: str) -> None:
        """Count a wrong password.

        :raises RateLimited: the limit was reached meanwhile, so the answer must not reveal that
            the password was wrong.
        """
        counts = _wrong_passwords(name_key, address)
        within = [self._limiter.limiter.hit(item, who) for item, who in counts]
        if not all(within):
            raise RateLimited(self._seconds_until_reset(counts))

    def check_registration_limit(self, *, address: str) -> None:
        """Check that another account may be created from this network. Counts nothing.

        :raises RateLimited: with the time until the next one.
        """
        self._require_remaining([(self._registrations, network_of(address))])

    @contextmanager
    def counting_registration(self, *, address: str) -> Iterator[None]:
        """Count an account while it is created, and take the count back if that fails.

        It counts before it exists, so that simultaneous requests cannot exceed the limit.

        :raises RateLimited: as many accounts as are allowed came from this network.
        """
        count = (self._registrations, network_of(address))
        if not self._limiter.limiter.hit(*count):
            self._take_back(count)
            raise RateLimited(self._seconds_until_reset([count]))
        try:
            yield
        except BaseException:
            self._take_back(count)
            raise

    def _take_back(self, count: _Count) -> None:
        item, who = count
        self._limiter.limiter.storage.incr(item.key_for(who), item.get_expiry(), amount=-1)

    def _require_remaining(self, counts: list[_Count]) -> None:
        used_up = [(item, who) for item, who in counts if not self._limiter.limiter.test(item, who)]
        if used_up:
            raise RateLimited(self._seconds_until_reset(used_up))

    def _seconds_until_reset(self, counts: list[_Count]) -> int:
        seconds = [1]
        for item, who in counts:
            reset, remaining = self._limiter.limiter.get_window_stats(item, who)
            if remaining <= 0:
                seconds.append(_seconds_until(reset, window=item.get_expiry()))
        return max(seconds)

    def _answer_flood(self, _error: RateLimitExceeded) -> Response:
        current = self._limiter.current_limit
        seconds = 60
        if current is not None:
            seconds = _seconds_until(current.reset_at, window=current.limit.get_expiry())
        refusal = RateLimited(seconds)
        response = render_error(refusal.status, refusal.sentence)
        response.headers.update(refusal.headers)
        return response


def _seconds_until(reset: float, *, window: int) -> int:
    """Return the seconds until a window ends, from 1 to its length.

    Flask-Limiter rounds the end up to a whole second, past the window's own length.
    """
    return min(window, max(1, math.ceil(reset - time.time())))


def network_of(address: str) -> str:
    """Return the network by which an address is counted."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed.packed, 64), strict=False))
    return str(parsed)


def _client_network() -> str:
    return network_of(client_address())


def _wrong_passwords(name_key: str, address: str) -> list[_Count]:
    """Return what a wrong password counts for. A name can be long, so its hash is counted."""
    network = network_of(address)
    name = hashlib.sha256(name_key.encode("utf-8", "surrogatepass")).hexdigest()
    return [(_WRONG_FOR_NAME, f"{network} {name}"), (_WRONG_FROM_NETWORK, network)]
