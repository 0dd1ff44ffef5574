"""The original of a video, made available on this machine for as long as an attempt needs it."""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import structlog

from common.storage.objects import CurrentObject, current_objects
from common.storage.volume import ORIGINAL
from transcode_service.leases import Lease
from transcode_service.published import FileElsewhere, require_store

_FETCH_SHARE = 0.05  # of a step's progress
_PAUSE = 0.5  # seconds between two looks whether another worker has fetched it
_LOOKS = 2  # it may be moved between a look at the disk and one at the rows

log = structlog.get_logger()


@contextmanager
def original(lease: Lease, folder: Path) -> Iterator[Callable[[], Path]]:
    """Give a function that returns the path of the original, which stays inside the `with` block.

    It is a link in the attempt's folder, or a copy in scratch space, fetched at the first call.
    The function raises :class:`FileNotFoundError` if there is no original, and
    :class:`FileElsewhere` if it may still come to the object store; also what else
    :meth:`Scratch.hold` and :class:`ObjectFiles` raise.
    """
    with ExitStack() as held:
        yield functools.cache(lambda: _find(lease, folder, held))


def _find(lease: Lease, folder: Path, held: ExitStack) -> Path:
    context, video_id = lease.context, lease.claim.video_id
    for _ in range(_LOOKS):
        try:
            return context.storage.link_original(video_id, folder)
        except FileNotFoundError as error:
            missing = error
        rows = lease.persist(lambda: current_objects(context.database, video_id=video_id))
        if found := rows.get(ORIGINAL):
            return held.enter_context(_copy(lease, found))
    if not context.storage.is_shared:
        raise FileElsewhere(f"{video_id}/{ORIGINAL}") from missing
    raise missing


def _copy(lease: Lease, found: CurrentObject) -> AbstractContextManager[Path]:
    context = lease.context
    objects = require_store(context, found)

    def advance(done: int) -> None:
        lease.report(_FETCH_SHARE * done / max(found.size, 1))

    def pause() -> None:
        context.stopping.wait(_PAUSE)
        lease.report(0.0)

    def fetch(wanted: CurrentObject, path: Path) -> None:
        began = time.monotonic()
        objects.fetch(wanted, path, advance=advance)
        seconds = round(time.monotonic() - began, 2)
        log.info("original fetched", bytes=wanted.size, seconds=seconds)

    return context.scratch.hold(found, fetch=fetch, pause=pause)
