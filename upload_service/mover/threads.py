"""Starts the mover in threads of the janitor's program."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import structlog

from common.duty import Duty, process_name
from common.process.daemon import repeat_until_stopped
from common.storage.movable import MovableFiles
from common.storage.object_files import ObjectFiles
from common.storage.store_settings import Store
from common.stores import Stores
from db.engine import DatabaseUnavailable
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

    A copy may take hours, and does not keep the other from working. Of several janitors one at a
    time moves, and one cleans.

    :raises SettingsError: boto3 is not installed.
    """
    store = settings.store.connect()
    if store is None:
        return []
    files = ObjectFiles(stores.database, store)
    disk = MovableFiles(settings.videos_dir)
    grace = timedelta(seconds=settings.move_grace)
    holder = process_name()
    moving = Duty(stores.database, "mover", holder)
    cleaning = Duty(stores.database, "object cleaner", holder)

    def renew() -> None:
        with suppress(DatabaseUnavailable):  # at worst another process begins the same copy
            moving.hold()

    pace = Pace(
        stop,
        rate=lambda: stores.site.current().move_rate,
        is_paused=lambda: stores.site.current().move_paused,
        renew=renew,
    )
    moves = settings.store.default is Store.S3
    mover = MoverDuty(
        Mover(stores, disk, files), pace, moves=moves, grace=grace, is_mine=moving.hold
    )
    cleaner = ObjectCleaner(
        stores,
        disk,
        files,
        grace=grace,
        expires=timedelta(seconds=settings.upload_expires),
        stopping=lambda: stop.is_set() or not cleaning.hold(),
    )
    log.info("mover started", default=settings.store.default, grace=settings.move_grace)
    return [
        _start(moving, "mover", mover.work, stop, interval=interval),
        _start(cleaning, "object cleaner", cleaner.clean, stop, interval=interval),
    ]


def _start(
    duty: Duty, name: str, work: Callable[[], object], stop: threading.Event, *, interval: float
) -> threading.Thread:
    def work_if_mine() -> None:
        if duty.hold():
            work()

    def run() -> None:
        structlog.contextvars.bind_contextvars(service=name)
        repeat_until_stopped(work_if_mine, stop, interval=interval, heartbeat=None)
        duty.release()

    thread = threading.Thread(target=run, name=name)
    thread.start()
    return thread
