"""Waiting for something to happen, instead of sleeping and hoping."""

import time
from collections.abc import Callable


def wait_until(
    happens: Callable[[], object], *, within: float = 10, what: str = "what was waited for"
) -> None:
    """Return as soon as something is true; fail, saying what, if it is not in so many seconds.

    Looks often at first, and ten times a second after a while, since a look costs something.
    """
    deadline, pause = time.monotonic() + within, 0.02
    while not happens():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(pause)
        pause = min(1.1 * pause, 0.1)
