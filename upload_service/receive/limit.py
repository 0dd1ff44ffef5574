"""How many uploads of one account a process receives at once."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from common.errors import MatineeError
from common.translation import gettext

MAX_AT_ONCE = 6  # uploads of one account that one process receives at the same time


class TooManyAtOnce(MatineeError):
    """The account sends as many files at once as it may."""

    status = 429
    retry_after = 5

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "You are sending %(max_at_once)s files already. Try again when one of them has "
                "arrived.",
                max_at_once=MAX_AT_ONCE,
            )
        )


class ReceiveLimit:
    """Counts, for each account, the uploads that are being received. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[int, str]] = Counter()  # by account and upload

    @contextmanager
    def receiving(self, owner_id: int, upload_id: str) -> Iterator[None]:
        """Count a request while it is received.

        A request for an upload that another request is receiving is let through: it supersedes
        that one or is refused by the upload's lock.

        :raises TooManyAtOnce: the account sends as many others as it may.
        """
        key = owner_id, upload_id
        with self._lock:
            uploads = sum(owner == owner_id for owner, _ in self._requests)
            if key not in self._requests and uploads >= MAX_AT_ONCE:
                raise TooManyAtOnce
            self._requests[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._requests[key] -= 1
                if not self._requests[key]:
                    del self._requests[key]
