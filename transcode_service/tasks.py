"""What a message of the queue leads to: work on whatever waits."""

import structlog

from common.storage import StorageError
from db.engine import DatabaseUnavailable
from transcode_service.shop import Workshop
from transcode_service.work import drain

log = structlog.get_logger()

_here: list[Workshop] = []


def employ(shop: Workshop) -> None:
    """Set what this process works with."""
    _here[:] = [shop]


def run_next() -> None:
    """Work on jobs until none waits.

    A message carries nothing, since the rows tell what there is to do. With the database or the
    volume away nothing can be begun, and the reconciler sends another message later.
    """
    [shop] = _here
    try:
        drain(shop)
    except (DatabaseUnavailable, StorageError) as error:
        log.debug("nothing could be begun", detail=str(error))
