"""Starts the mover in threads of the janitor's program."""

import threading
from collections.abc import Callable
from datetime import timedelta

import structlog

from common.process.daemon import repeat_until_stopped
from common.storage.movable import MovableFiles
from common.storage.object_files import ObjectFiles
from common.storage.store_settings import Store
from common.stores import Stores
from upload_service.mover.duty import MoverDuty
from upload_service.mover.move import Mover
from upload_service.mover.object_cleanup import ObjectCleaner
from upload_service.mover.pace import Pace
from upload_service.settings import UploadSettings

log = structlog.get_logger()


def start_mover(
    settings: UploadSettings, stores: Stores, stop: threading.Event, *, interval: float
) -> list[threading.Thread]:
    """Start the mover and its clean-up, and return their threads; none without an object store.

    A copy may take hours, and does not keep the other from working.

    :param stop: ends both.
    :raises SettingsError: boto3 is not installed.
    """
    store = settings.store.connect()
    if store is None:
        return []
    files = ObjectFiles(stores.database, store)
    disk = MovableFiles(settings.videos_dir)
    grace = timedelta(seconds=settings.move_grace)
    pace = Pace(
        stop,
        rate=lambda: stores.site.current().move_rate,
        is_paused=lambda: stores.site.current().move_paused,
    )
    moves = settings.store.default is Store.S3
    duty = MoverDuty(Mover(stores, disk, files), pace, moves=moves, grace=grace)
    cleaner = ObjectCleaner(
        stores,
        disk,
        files,
        grace=grace,
        expires=timedelta(seconds=settings.upload_expires),
        stopping=stop.is_set,
    )
    log.info("mover started", default=settings.store.default, grace=settings.move_grace)
    works: dict[str, Callable[[], object]] = {"mover": duty.work, "object cleaner": cleaner.clean}
    return [_start(name, work, stop, interval=interval) for name, work in works.items()]


def _start(
    name: str, work: Callable[[], object], stop: threading.Event, *, interval: float
) -> threading.Thread:
    def run() -> None:
        structlog.contextvars.bind_contextvars(service=name)
        repeat_until_stopped(work, stop, interval=interval, heartbeat=None)

    thread = threading.Thread(target=run, name=name)
    thread.start()
    return thread
