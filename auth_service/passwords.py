"""Passwords: what one may be, and how it is kept (Argon2id).

Every character counts: there is no cut at byte 72, and NUL, emoji and blanks at either end are part
of the password. Only the spelling of composed characters is made one (NFC; RFC 8265, 4.2), so that
an `é` typed on another system is the same `é`.
"""

import base64
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from common.errors import MatineeError, Unprocessable

SHORTEST, LONGEST = 8, 1000  # characters, after NFC

_AT_ONCE = 2  # hashes computed at the same time in one process: 64 MiB each
_PATIENCE = 30  # seconds to wait for one's turn


class UnfitPassword(Unprocessable):
    """Too short for a new password, or too long for any."""


class HashingBusy(MatineeError):
    """More people sign in at once than this process can serve in time."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Too many people are signing in at this moment. Try again shortly.")
        self.headers["Retry-After"] = "5"


class Passwords:
    """Makes and checks hashes; one per process, shared by its threads.

    :param cost: of a new hash; the default is the low-memory choice of RFC 9106, 4. A stored hash
        of another cost is still checked, and :meth:`is_outdated`.
    """

    def __init__(self, cost: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(cost)
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._nobodys = _hash_of_nothing(cost)

    def hash(self, password: str) -> str:
        """Return what to store for a new password.

        :raises UnfitPassword: it has fewer than 8 or more than 1000 characters; nothing is hashed.
        :raises HashingBusy: no turn came within 30 seconds.
        """
        spelled = unicodedata.normalize("NFC", password)
        if len(spelled) < SHORTEST:
            raise UnfitPassword(f"A password has at least {SHORTEST} characters.")
        secret = _bytes(password)
        with self._turn():
            return self._hasher.hash(secret)

    def matches(self, password: str, stored: str | None) -> bool:
        """Tell whether a password is the one whose hash was stored.

        :param stored: None when there is no such account: a hash is computed all the same, so
            that the time tells nothing.
        :raises UnfitPassword: it has more than 1000 characters, so it is nobody's; nothing is
            hashed.
        :raises HashingBusy: no turn came within 30 seconds.
        """
        secret = _bytes(password)
        with self._turn():
            try:
                return self._hasher.verify(stored or self._nobodys, secret) and stored is not None
            except VerifyMismatchError:
                return False

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made at another cost than is asked for now."""
        return self._hasher.check_needs_rehash(stored)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=_PATIENCE):
            raise HashingBusy
        try:
            yield
        finally:
            self._turns.release()


def _bytes(password: str) -> bytes:
    """A JSON text may hold half a surrogate pair; it counts like any other character."""
    spelled = unicodedata.normalize("NFC", password)
    if len(spelled) > LONGEST:
        raise UnfitPassword(f"A password has at most {LONGEST} characters.")
    return spelled.encode("utf-8", "surrogatepass")


def _hash_of_nothing(cost: Parameters) -> str:
    """Write down a hash that no password has, at the cost of a real one and without paying it."""

    def random(length: int) -> str:
        return base64.b64encode(secrets.token_bytes(length)).decode("ascii").rstrip("=")

    parameters = f"m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}"
    salt, digest = random(cost.salt_len), random(cost.hash_len)
    return f"$argon2id$v={cost.version}${parameters}${salt}${digest}"
