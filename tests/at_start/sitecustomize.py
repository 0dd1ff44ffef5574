"""What each Python program that tests start does first. The programs know nothing of it.

Python imports this where `PYTHONPATH` has the folder. Tests start hundreds of programs, and the
garbage collector would take a third of what starting and ending one costs: modules are no garbage.
"""

import atexit
import gc
import os

gc.set_threshold(20_000, 20, 20)
atexit.register(gc.freeze)

if os.environ.get("CHEAP_HASHES"):
    from argon2 import profiles

    profiles.RFC_9106_LOW_MEMORY = profiles.CHEAPEST
