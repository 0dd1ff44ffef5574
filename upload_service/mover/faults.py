"""When to try again: what has failed waits, longer each time, and the rest goes on."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from common.storage.errors import StoreRefused, StoreUnavailable
from common.storage.object_files import WrongBytes
from upload_service.mover.move import WrongOriginal

_FIRST_DELAY = 30.0  # seconds
_MAX_DELAY = 3600.0
_REFUSALS = 3  # in a row, after which the store counts as away

log = structlog.get_logger()


@dataclass
class Faults:
    """What has failed, by a key of its own."""

    clock: Callable[[], float] = time.monotonic
    _until: dict[str, tuple[float, float]] = field(default_factory=dict)
    _refusals: int = 0

    def may_try(self, key: str = "") -> bool:
        """Tell whether something may be tried now. The empty key is the store itself."""
        return self._until.get(key, (0.0, 0.0))[0] <= self.clock()

    def succeeded(self, key: str) -> None:
        """Forget what has failed before. So the store answers."""
        self._until.pop(key, None)
        self._until.pop("", None)
        self._refusals = 0

    def failed(self, key: str, error: Exception) -> None:
        """Log an error, and let what has failed wait.

        If the store does not answer, or refuses several requests in a row, everything waits.
        """
        state = _state(error)
        self._wait(key)
        log.error("work in the object store failed", state=state, object=key, detail=str(error))
        self._refusals = self._refusals + 1 if isinstance(error, StoreRefused) else 0
        if state == "store unavailable" or self._refusals >= _REFUSALS:
            self._wait("")

    def _wait(self, key: str) -> None:
        delay = min(2 * self._until.get(key, (0.0, _FIRST_DELAY / 2))[1], _MAX_DELAY)
        self._until[key] = (self.clock() + delay, delay)


def _state(error: Exception) -> str:
    """Return the name of a fault, for the log."""
    if isinstance(error, WrongBytes):
        return "wrong bytes in the store"
    if isinstance(error, StoreUnavailable):
        return "store unavailable"
    if isinstance(error, StoreRefused):
        return f"store refuses ({error.code})"
    if isinstance(error, WrongOriginal):
        return "original is damaged"
    return "disk"
