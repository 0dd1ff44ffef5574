"""Waiting for something to happen, instead of sleeping and hoping."""

import time
from collections.abc import Callable


def wait_until(
    happens: Callable[[], object],
    *,
    within: float = 10,
    what: str = "what was waited for",
    pause: float = 0.02,
) -> None:
    """Return as soon as something is true; fail, saying what, if it is not in so many seconds.

    A look costs something: after a while it looks ten times a second.

    :param pause: seconds between the first looks, and, if they are more than a tenth, all looks.
    """
    deadline, slowest = time.monotonic() + within, max(pause, 0.1)
    while not happens():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(pause)
        pause = min(1.1 * pause, slowest)
