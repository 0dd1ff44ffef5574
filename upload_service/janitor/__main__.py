"""The janitor as a program beside the upload service: `python -m upload_service.janitor`.

Where there is an object store, the mover is a part of it.

Any number may run, and one of them cleans: see `common/duty.py`. SIGTERM or Ctrl-C ends it between
two steps, and another takes over. After a kill, another does so half a minute later.
"""

import threading
import time
from pathlib import Path

import structlog
from sqlalchemy import update
from sqlalchemy.orm import Session

from common.duty import Duty, process_name
from common.process.daemon import repeat_until_stopped, run_daemon
from common.storage import IncomingStore, VideoStore
from common.stores import Stores
from db.engine import transaction
from db.models import Volume, now
from upload_service.janitor.audit import AuditReport, audit
from upload_service.janitor.checksum_backfill import ChecksumBackfill
from upload_service.janitor.cleanup import Cleaner
from upload_service.mover.threads import start_mover
from upload_service.settings import UploadSettings

_INTERVAL = 5  # seconds between two passes
_AUDIT_INTERVAL = 3600  # seconds between two comparisons of the whole volume with the database
_MEASURE_INTERVAL = 60  # seconds between two looks at the free space
_EXAMPLES = 10  # ids that a report names

log = structlog.get_logger()


def run(
    settings: UploadSettings,
    stop: threading.Event,
    heartbeat: Path | None = None,
    *,
    interval: float = _INTERVAL,
) -> None:
    """Clean until told to stop; see :func:`common.process.daemon.repeat_until_stopped`."""
    log.info("janitor started", cleanup_after=settings.cleanup_after)
    stores = Stores.of(settings.common)
    incoming, videos = IncomingStore(settings.videos_dir), VideoStore(settings.videos_dir)
    duty = Duty(stores.database, "janitor", process_name())

    def stopping() -> bool:
        return stop.is_set() or not duty.hold()

    object_store = settings.store.connect()
    cleaner = Cleaner(stores, incoming, videos, settings, stopping, object_store=object_store)
    backfill = ChecksumBackfill(stores.database, videos, object_store)
    next_audit = next_measure = 0.0
    movers = start_mover(settings, stores, stop, interval=interval)

    def measure() -> None:
        nonlocal next_measure
        if time.monotonic() >= next_measure:
            size, free = incoming.total_bytes(), incoming.free_bytes()
            record_disk_space(stores.database, size=size, free=free)
            next_measure = time.monotonic() + _MEASURE_INTERVAL

    def report() -> None:
        nonlocal next_audit
        if time.monotonic() >= next_audit:
            patience = settings.cleanup_after
            _log(audit(stores.database, videos, cleanup_after=patience, stopping=stopping))
            next_audit = time.monotonic() + _AUDIT_INTERVAL

    def work() -> None:
        incoming.prepare()  # first: who has no volume leaves the duty to others
        for step in (cleaner.clean, measure, backfill.work, report):
            if stopping():
                return
            step()

    repeat_until_stopped(work, stop, interval=interval, heartbeat=heartbeat)
    duty.release()
    for mover in movers:
        mover.join()
    log.info("janitor ended")


@transaction(writes=True)
def record_disk_space(session: Session, *, size: int, free: int) -> None:
    """Note the bytes of the volume, and those that are free, for the administrators' page."""
    session.execute(update(Volume).values(size=size, free=free, measured_at=now()))


def _log(found: AuditReport) -> None:
    if unknown := found.unknown_folders:
        event = "folders of videos that the database does not know; nothing was removed"
        log.warning(event, count=len(unknown), examples=unknown[:_EXAMPLES])
    if missing := found.missing_originals:
        event = "videos whose files are not there"
        log.error(event, count=len(missing), examples=missing[:_EXAMPLES])


if __name__ == "__main__":
    run_daemon("janitor", UploadSettings.read, run)
