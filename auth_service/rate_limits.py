"""How many accounts can be registered from one network, and how often an account is renamed.

Flask-Limiter limits attempts to register before the view. New accounts and new names are counted
here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItemPerHour

from common.web.rate_limits import RateLimits, network_of

_NAMES_PER_HOUR = 30  # of one account
_ATTEMPTS_PER_ACCOUNT = 5  # per account that may be created: people mistype


class RegistrationLimits:
    """The limits on new accounts.

    :param per_hour: accounts that may be created from one network.
    """

    def __init__(self, limits: RateLimits, *, per_hour: int) -> None:
        self._limits = limits
        self._per_hour = RateLimitItemPerHour(per_hour, 1, namespace="registered")
        self.limit_attempts = limits.limit_posts(per_hour * _ATTEMPTS_PER_ACCOUNT)

    def check(self, *, address: str) -> None:
        """Check that another account may be created from this network. Counts nothing.

        :raises RateLimited: with the time until the next one.
        """
        self._limits.require_remaining([(self._per_hour, network_of(address))])

    @contextmanager
    def counting(self, *, address: str) -> Iterator[None]:
        """Count an account while it is created, and take the count back if that fails.

        It counts before it exists, so that simultaneous requests cannot exceed the limit.

        :raises RateLimited: as many accounts as are allowed came from this network.
        """
        count = (self._per_hour, network_of(address))
        try:
            self._limits.count([count])
            yield
        except BaseException:
            self._limits.take_back(count)
            raise


class NameLimit:
    """The limit on new names: a name that is refused belongs to somebody, so each try tells."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        self._per_hour = RateLimitItemPerHour(_NAMES_PER_HOUR, 1, namespace="renamed")

    def count(self, user_id: int) -> None:
        """Count a try to change an account's name.

        :raises RateLimited: with the time until the next one.
        """
        self._limits.count([(self._per_hour, str(user_id))])
