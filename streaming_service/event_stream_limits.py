"""How many event streams a process serves at once, in all and for each client."""

import threading
from collections import Counter

from common.errors import MatineeError
from common.translation import gettext_noop

TOTAL_LIMIT = 1000  # per process; each stream asks Redis once a second
CLIENT_LIMIT = 4  # per account and process; signed out: per address

_RETRY_AFTER = 5  # seconds


class ServerBusy(MatineeError):
    """This process serves as many event streams as it can. Polling works."""

    status = 503
    sentence = gettext_noop("Too many pages are shown live. Ask again now and then instead.")
    retry_after = _RETRY_AFTER


class TooManyStreams(MatineeError):
    """This client has as many event streams open as it may. Polling works."""

    status = 429
    sentence = gettext_noop("You have too many pages open live. Ask again now and then instead.")
    retry_after = _RETRY_AFTER


class EventStreamLimits:
    """Counts the open event streams of this process."""

    def __init__(self, *, total: int = TOTAL_LIMIT, per_client: int = CLIENT_LIMIT) -> None:
        self._total = total
        self._per_client = per_client
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    def acquire(self, client: str) -> None:
        """Count a new stream; :meth:`release` must follow when it ends.

        :param client: an account or an address.
        :raises ServerBusy: this process has no room for another stream.
        :raises TooManyStreams: this client has as many open as it may.
        """
        with self._lock:
            if self._open[client] >= self._per_client:
                raise TooManyStreams
            if self._open.total() >= self._total:
                raise ServerBusy
            self._open[client] += 1

    def release(self, client: str) -> None:
        """Count a stream that has ended."""
        with self._lock:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]
