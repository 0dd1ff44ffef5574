"""The janitor: a program beside the upload service that cleans up after crashes and deletions.

    python -m upload_service.janitor

Any number may run. SIGTERM or Ctrl-C ends it between two things; a kill costs nothing.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import structlog
from redis.exceptions import RedisError

from common.log import configure
from common.settings import Environment, SettingsError
from common.storage import MediaStorage, StorageError
from common.stores import Stores
from db.engine import DatabaseAway
from upload_service.audit import audit
from upload_service.cleaning import Cleaner
from upload_service.hashing import Hasher
from upload_service.settings import UploadSettings

_INTERVAL = 5  # seconds between two passes
_AUDIT_INTERVAL = 3600  # seconds between two comparisons of the whole volume with the database
_EXAMPLES = 10  # ids that a report names

log = structlog.get_logger()


def run(
    settings: UploadSettings,
    stop: threading.Event,
    *,
    interval: float = _INTERVAL,
    heartbeat: Path | None = None,
) -> None:
    """Clean until told to stop; wait for stores that are away.

    :param interval: seconds between two passes.
    :param heartbeat: a file to touch after each pass, by which a health check tells a janitor that
        works or waits from one that hangs.
    """
    stores = Stores.of(settings.common)
    storage = MediaStorage(settings.videos_dir, settings.formats)
    cleaner = Cleaner(stores, storage, settings.cleanup_after, stop.is_set)
    hasher = Hasher(stores, storage)
    waiting = False
    next_audit = 0.0
    while not stop.is_set():
        try:
            cleaner.clean()
            hasher.work()
            if time.monotonic() >= next_audit and not stop.is_set():
                _report(stores, storage, cleanup_after=settings.cleanup_after)
                next_audit = time.monotonic() + _AUDIT_INTERVAL
            if waiting:
                log.info("stores are back")
            waiting = False
        except (DatabaseAway, RedisError, StorageError) as error:
            if not waiting:
                log.warning("waiting for a store", store=type(error).__name__, detail=str(error))
            waiting = True
        except Exception:
            log.exception("a pass failed")
        if heartbeat is not None:
            heartbeat.touch()
        stop.wait(interval)


def _report(stores: Stores, storage: MediaStorage, *, cleanup_after: int) -> None:
    found = audit(stores.database, storage, cleanup_after=cleanup_after)
    if found.unknown_folders:
        log.warning(
            "folders of videos that the database does not know; nothing was removed",
            count=len(found.unknown_folders),
            examples=found.unknown_folders[:_EXAMPLES],
        )
    if found.missing_originals:
        log.error(
            "videos whose files are not there",
            count=len(found.missing_originals),
            examples=found.missing_originals[:_EXAMPLES],
        )


def main() -> None:
    """Read the settings, and run until a signal."""
    try:
        environment = Environment(os.environ)
        settings = UploadSettings.read(environment)
        heartbeat = environment.text("HEARTBEAT_FILE", "")
    except SettingsError as error:
        sys.exit(str(error))
    configure(settings.common.log_level)
    structlog.contextvars.bind_contextvars(service="janitor")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("janitor started", cleanup_after=settings.cleanup_after)
    run(settings, stop, heartbeat=Path(heartbeat) if heartbeat else None)
    log.info("janitor ended")


if __name__ == "__main__":
    main()
