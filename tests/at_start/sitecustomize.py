"""What each Python program that tests start does first. The programs know nothing of it.

Python imports this where `PYTHONPATH` has the folder. Tests start hundreds of programs, and the
garbage collector would take a third of what starting and ending one costs: modules are no garbage.
"""

import atexit
import gc
import os
import sys
from typing import Any

_USUAL = gc.get_threshold()
_RARELY = 50_000  # objects
_known = 0


def _end_of_start(phase: str, _about: dict[str, Any]) -> None:
    """Collect as usual again once no modules have come since the last collection."""
    global _known  # noqa: PLW0603
    if phase == "stop" or len(sys.modules) > _known:
        _known = len(sys.modules)
        return
    gc.callbacks.remove(_end_of_start)
    if gc.get_threshold()[0] == _RARELY:
        gc.set_threshold(*_USUAL)


gc.callbacks.append(_end_of_start)
gc.set_threshold(_RARELY)
atexit.register(gc.freeze)

if os.environ.get("CHEAP_HASHES"):
    from argon2 import profiles

    profiles.RFC_9106_LOW_MEMORY = profiles.CHEAPEST
