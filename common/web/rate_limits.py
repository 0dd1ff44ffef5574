"""Rate limits, counted in Redis for all processes together.

A network is what is counted by: an IPv4 address, or an IPv6 /64, which one subscriber has as a
whole.

Wrong passwords count per network and name (known or not), and per network alone. So neither one
name nor a list of them can be guessed, and the right password from another network still works.
Flask-Limiter's own conditional limits check before the view and count after it, so a hundred
simultaneous guesses would all be answered. So they are counted here, with its strategy. A request
is also refused, whether its password was right or wrong, if others reach the limit while its hash
is computed.
"""

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from flask import Flask, Response
from flask_limiter import Limiter, RateLimitExceeded
from limits import RateLimitItem, RateLimitItemPerMinute
from redis import Redis

from common.errors import MatineeError
from common.translation import ngettext
from common.web.auth import client_address
from common.web.error_handlers import render_error

_WRONG_FOR_ONE = 10  # in 15 minutes
_WRONG_FROM_NETWORK = 100

Count = tuple[RateLimitItem, str]
"""A limit, and who it is counted for."""


class RateLimited(MatineeError):
    """Too many requests of one kind in too short a time.

    :param seconds: until the next one is accepted.
    """

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            ngettext(
                "That was tried too often. Try again in %(num)d minute.",
                "That was tried too often. Try again in %(num)d minutes.",
                max(1, math.ceil(seconds / 60)),
            )
        )
        self.headers["Retry-After"] = str(seconds)


class RateLimits:
    """Counts what the clients of one app do.

    While Redis is unavailable, Flask-Limiter counts in memory.

    :param redis: the app's own client; its connections and short time limits are used.
    """

    def __init__(self, redis: Redis) -> None:
        pool: dict[str, Any] = {"connection_pool": redis.connection_pool}
        self._limiter = Limiter(
            _client_network,
            storage_uri="redis://",  # names the kind only: the pool has the address
            storage_options=pool,
            strategy="fixed-window",
            in_memory_fallback_enabled=True,
        )

    def init_app(self, app: Flask) -> None:
        """Count the requests of an app, and answer those over the limit."""
        self._limiter.init_app(app)
        app.register_error_handler(RateLimitExceeded, self._answer_flood)

    def limit_posts(self, per_hour: int) -> Callable[[Any], Any]:
        """Return a decorator of blueprints that limits the POST requests of a network."""
        return self._limiter.limit(f"{per_hour} per hour", methods=["POST"])

    def require_remaining(self, counts: Sequence[Count]) -> None:
        """Check that no limit is used up. Counts nothing.

        :raises RateLimited: with the time until the next try.
        """
        used_up = [(item, who) for item, who in counts if not self._limiter.limiter.test(item, who)]
        if used_up:
            raise RateLimited(self._seconds_until_reset(used_up))

    def count(self, counts: Sequence[Count]) -> None:
        """Count one of each.

        :raises RateLimited: a limit was used up already; it is counted all the same.
        """
        within = [self._limiter.limiter.hit(item, who) for item, who in counts]
        if not all(within):
            raise RateLimited(self._seconds_until_reset(counts))

    def take_back(self, count: Count) -> None:
        """Undo a count."""
        item, who = count
        self._limiter.limiter.storage.incr(item.key_for(who), item.get_expiry(), amount=-1)

    def _seconds_until_reset(self, counts: Sequence[Count]) -> int:
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


class PasswordLimits:
    """How many wrong passwords are answered, for one kind of password.

    :param of: what the passwords belong to, such as "name" or "link"; each kind counts alone.
    """

    def __init__(self, limits: RateLimits, *, of: str) -> None:
        self._limits = limits
        self._for_one = RateLimitItemPerMinute(_WRONG_FOR_ONE, 15, namespace=f"wrong-for-{of}")
        self._from_network = RateLimitItemPerMinute(
            _WRONG_FROM_NETWORK, 15, namespace=f"wrong-for-any-{of}"
        )

    def check(self, key: str, *, address: str) -> None:
        """Check that a network may try another password, for this name or link and at all.

        Ask before a hash is computed, and again before a right password is believed.

        :raises RateLimited: with the time until the next try.
        """
        self._limits.require_remaining(self._counts(key, address))

    def record_wrong(self, key: str, *, address: str) -> None:
        """Count a wrong password.

        :raises RateLimited: the limit was reached meanwhile, so the answer must not reveal that
            the password was wrong.
        """
        self._limits.count(self._counts(key, address))

    def _counts(self, key: str, address: str) -> list[Count]:
        """Return what a wrong password counts for. A name can be long, so its hash is counted."""
        network = network_of(address)
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return [(self._for_one, f"{network} {name}"), (self._from_network, network)]


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


def _seconds_until(reset: float, *, window: int) -> int:
    """Return the seconds until a window ends, from 1 to its length.

    Flask-Limiter rounds the end up to a whole second, past the window's own length.
    """
    return min(window, max(1, math.ceil(reset - time.time())))


def _client_network() -> str:
    return network_of(client_address())
