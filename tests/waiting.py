"""Waiting for something to happen, instead of sleeping and hoping."""

import time
from collections.abc import Callable


def wait_until(
    happens: Callable[[], object],
    *,
    within: float = 10,
    every: float = 0.02,
    what: str = "what was waited for",
) -> None:
    """Return as soon as something is true; fail, saying what, if it is not in so many seconds.

    :param every: seconds between two looks: more where each costs what is waited for its time.
    """
    deadline = time.monotonic() + within
    while not happens():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(every)
