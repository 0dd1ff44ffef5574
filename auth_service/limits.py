"""How often somebody may try, counted in Redis for all processes together.

Wrong passwords count per network and name (known or not), and per network alone, so that neither
one account nor a list of accounts can be guessed at, while the right password from elsewhere still
works. A network is an IPv4 address, or the /64 that a line of IPv6 gets as a whole.

A flood of registrations is stopped by Flask-Limiter before the view. Wrong passwords are counted
here, with its strategy: its own conditional limits look before the view and count after it, so a
hundred guesses sent at once would all be answered. Here, whoever has used up the tries while a hash
was being computed is refused whether the password was right or wrong.
"""

import hashlib
import math
import time
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
_ATTEMPTS_PER_ACCOUNT = 5  # forms sent for each account that may be made, for typing errors

_Count = tuple[RateLimitItem, str]


class TooManyTries(MatineeError):
    """Too often in too short a time.

    :param seconds: until another try is taken.
    """

    status = 429

    def __init__(self, seconds: int) -> None:
        minutes = math.ceil(seconds / 60)
        wait = "a minute" if minutes <= 1 else f"{minutes} minutes"
        super().__init__(f"That was tried too often. Try again in {wait}.")
        self.headers["Retry-After"] = str(seconds)


class Limits:
    """The limits of one app.

    Should Redis be away, Flask-Limiter counts in memory until it is back; nobody can be signed in
    meanwhile anyway.

    :param redis: the app's own client; its connections and short time limits are used.
    :param registrations_per_hour: accounts that may be made from one network.
    """

    def __init__(self, redis: Redis, *, registrations_per_hour: int) -> None:
        pool: dict[str, Any] = {"connection_pool": redis.connection_pool}
        self._limiter = Limiter(
            _client_network,
            storage_uri="redis://",  # tells the kind only: the pool leads to the place
            storage_options=pool,
            strategy="fixed-window",
            in_memory_fallback_enabled=True,
        )
        self._registered = RateLimitItemPerHour(registrations_per_hour, 1, namespace="registered")
        flood = f"{registrations_per_hour * _ATTEMPTS_PER_ACCOUNT} per hour"
        self.limit_attempts = self._limiter.limit(flood, methods=["POST"])

    def init_app(self, app: Flask) -> None:
        """Count the requests of an app, and answer those over the limit."""
        self._limiter.init_app(app)
        app.register_error_handler(RateLimitExceeded, self._answer_flood)

    def require_password_tries(self, *, name_key: str, address: str) -> None:
        """Refuse when this network has no try left, for this name or at all.

        Ask before a hash is computed, and again before a right password is believed.

        :raises TooManyTries: with the time until the next try.
        """
        self._require_left(_wrong_passwords(name_key, address))

    def count_wrong_password(self, *, name_key: str, address: str) -> None:
        """Note a wrong password.

        :raises TooManyTries: the tries were used up in the meantime, so this answer must not tell
            that it was wrong.
        """
        counts = _wrong_passwords(name_key, address)
        left = [self._limiter.limiter.hit(item, who) for item, who in counts]
        if not all(left):
            raise TooManyTries(self._seconds(counts))

    def require_registrations(self, *, address: str) -> None:
        """Refuse when as many accounts as are allowed came from this network.

        :raises TooManyTries: with the time until the next one.
        """
        self._require_left([(self._registered, network_of(address))])

    def count_registration(self, *, address: str) -> None:
        """Note that an account was made."""
        self._limiter.limiter.hit(self._registered, network_of(address))

    def _require_left(self, counts: list[_Count]) -> None:
        used_up = [(item, who) for item, who in counts if not self._limiter.limiter.test(item, who)]
        if used_up:
            raise TooManyTries(self._seconds(used_up))

    def _seconds(self, counts: list[_Count]) -> int:
        used_up = [stats for stats in map(self._stats, counts) if stats[1] <= 0]
        return max([1, *(math.ceil(reset - time.time()) for reset, _left in used_up)])

    def _stats(self, count: _Count) -> tuple[float, int]:
        reset, left = self._limiter.limiter.get_window_stats(*count)
        return reset, left

    def _answer_flood(self, _error: RateLimitExceeded) -> Response:
        current = self._limiter.current_limit
        reset = current.reset_at if current else time.time() + 60
        refusal = TooManyTries(max(1, math.ceil(reset - time.time())))
        response = render_error(refusal.status, refusal.sentence)
        response.headers.update(refusal.headers)
        return response


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
    """A name that somebody typed can be long and hold anything, so its hash is counted."""
    network = network_of(address)
    name = hashlib.sha256(name_key.encode("utf-8", "surrogatepass")).hexdigest()
    return [(_WRONG_FOR_NAME, f"{network} {name}"), (_WRONG_FROM_NETWORK, network)]
