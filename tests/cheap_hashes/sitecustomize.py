"""Has services that tests start hash passwords at the lowest cost there is.

Python imports this at its start where `PYTHONPATH` has the folder; the services know nothing of it.
"""

from argon2 import profiles

profiles.RFC_9106_LOW_MEMORY = profiles.CHEAPEST
