"""What a message of the queue leads to: work on whatever waits."""

from db.engine import DatabaseAway
from transcode_service.shop import Workshop
from transcode_service.work import drain

_here: list[Workshop] = []


def employ(shop: Workshop) -> None:
    """Set what this process works with."""
    _here[:] = [shop]


def run_next() -> None:
    """Work on jobs until none waits.

    A message carries nothing, since the rows tell what there is to do; with the database away
    there is nothing to be told, and the reconciler sends another message later.
    """
    [shop] = _here
    try:
        drain(shop)
    except DatabaseAway:
        return
