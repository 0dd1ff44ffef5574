"""Passwords: which are allowed, and how they are hashed (Argon2id).

Every character counts: there is no cut at byte 72, and NUL, emoji and blanks at either end are part
of the password. Only composed characters are normalised (NFC; RFC 8265, 4.2), so that an `é`
typed on another system is the same `é`.
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
from common.translation import gettext, gettext_noop
from db import native_threads

MIN_LENGTH, MAX_LENGTH = 8, 1000  # characters, after NFC

_CONCURRENT_HASHES = 2  # hashes computed at the same time in one process: 64 MiB each
_WAITING_HASHES = 8  # requests that wait for one of them; each holds a thread of the server


class InvalidPassword(Unprocessable):
    """Too short for a new password, or too long for any."""


class HashingBusy(MatineeError):
    """Too many passwords are being hashed in this process; answered at once, without waiting."""

    status = 503
    sentence = gettext_noop(
        "Too many passwords are being checked at this moment. Try again shortly."
    )
    retry_after = 5


class Passwords:
    """Makes and checks hashes; one per process, shared by its threads.

    Under gevent a hash is computed in a native thread, so that other requests go on meanwhile.

    :param cost: of a new hash; the default is the low-memory choice of RFC 9106, 4. A stored hash
        of another cost is still checked, and :meth:`is_outdated`.
    """

    def __init__(self, cost: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(cost)
        self._slots = threading.BoundedSemaphore(_CONCURRENT_HASHES)
        self._places = threading.BoundedSemaphore(_CONCURRENT_HASHES + _WAITING_HASHES)
        self._dummy_hash = _make_dummy_hash(cost)

    def hash(self, password: str) -> str:
        """Return what to store for a new password.

        :raises InvalidPassword: it has fewer than 8 or more than 1000 characters; nothing is
            hashed.
        :raises HashingBusy: too many others wait already.
        """
        require_length(password)
        secret = _bytes(password)
        with self._hash_slot():
            return native_threads.run(lambda: self._hasher.hash(secret))

    def matches(self, password: str, stored: str | None) -> bool:
        """Tell whether a password is the one whose hash was stored.

        :param stored: None when there is no such account: a hash is computed all the same, so
            that the time tells nothing.
        :raises InvalidPassword: it has more than 1000 characters, so it is nobody's; nothing is
            hashed.
        :raises HashingBusy: too many others wait already.
        """
        secret = _bytes(password)
        with self._hash_slot():
            try:
                native_threads.run(lambda: self._hasher.verify(stored or self._dummy_hash, secret))
            except VerifyMismatchError:
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made at another cost than is asked for now."""
        return self._hasher.check_needs_rehash(stored)

    @contextmanager
    def _hash_slot(self) -> Iterator[None]:
        """Hold one of the slots to compute a hash in.

        Only a few requests wait for one. The others are refused at once, so that the threads of
        the server stay free for pages.
        """
        if not self._places.acquire(blocking=False):
            raise HashingBusy
        try:
            with self._slots:
                yield
        finally:
            self._places.release()


def require_length(password: str) -> None:
    """Check that a new password is neither too short nor too long.

    :raises InvalidPassword: it has fewer than 8 or more than 1000 characters.
    """
    spelled = unicodedata.normalize("NFC", password)
    if len(spelled) < MIN_LENGTH:
        raise InvalidPassword(
            gettext("A password has at least %(min_length)s characters.", min_length=MIN_LENGTH)
        )
    _bytes(password)


def _bytes(password: str) -> bytes:
    # JSON text may contain half a surrogate pair; it counts like any other character.
    spelled = unicodedata.normalize("NFC", password)
    if len(spelled) > MAX_LENGTH:
        raise InvalidPassword(
            gettext("A password has at most %(max_length)s characters.", max_length=MAX_LENGTH)
        )
    return spelled.encode("utf-8", "surrogatepass")


def _make_dummy_hash(cost: Parameters) -> str:
    """Return a hash that no password has, of the cost of a real one, without computing it."""

    def random(length: int) -> str:
        return base64.b64encode(secrets.token_bytes(length)).decode("ascii").rstrip("=")

    parameters = f"m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}"
    salt, digest = random(cost.salt_len), random(cost.hash_len)
    return f"$argon2id$v={cost.version}${parameters}${salt}${digest}"
