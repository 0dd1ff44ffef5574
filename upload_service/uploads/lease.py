"""The lease of an upload: which host may write to its file. It is in the upload's row.

On one host the lock of the file decides, and its size is the offset. Between hosts neither can be
relied on: that depends on the file system. So a process that has the lock takes the lease as well,
which another host can take over only after it has ended. From then on `Upload.fence` is above 0,
and the row's `offset` is the truth for all hosts: what the file has beyond it is cut by whoever
takes the lease. A host that was away for long notices by its own clock that its lease may have
ended, and leaves the file alone.

The bytes of an upload may be in the object store instead. Then the row's `offset` is always the
truth, and there is nothing to cut.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, BinaryIO
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from common.errors import Conflict
from common.storage.file_io import file_size, truncate
from common.translation import gettext_noop
from db import native_threads
from db.clock import clock
from db.engine import Database, DatabaseUnavailable, change_rows, transaction
from db.models import Upload
from upload_service.uploads.context import UploadContext
from upload_service.uploads.host import host_of, is_on, nobody_of, process_of
from upload_service.uploads.queries import UploadExpired

LEASE = timedelta(seconds=20)

_RENEW = 2.0  # seconds between two renewals
_MARGIN = 5.0  # seconds before its end from which a lease is not relied on
# How long a file may be shorter than what was acknowledged, before its size is believed.
_CATCH_UP = timedelta(seconds=60)
# Leases that one process takes at the same time. A thousand clients that come at once wait here,
# and not for the connections to the database, which renewals and pages need too.
_taking = threading.BoundedSemaphore(8)
# It goes on while the machine is suspended, where there is such a clock.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

log = structlog.get_logger()


class Superseded(Conflict):
    """A newer request continues this upload. What was stored of this one is kept."""

    sentence = gettext_noop("A newer request has taken over this upload.")


class HeldElsewhere(Exception):
    """A request on another host holds the lease, or its bytes cannot be seen here yet."""


@dataclass(eq=False)
class Lease:
    """The right to change an upload's bytes, held by a process of a host.

    :ivar upload: the row as it was when the lease began.
    :ivar cut_at: the offset at which the file is to be cut, None if its size is right.
    :ivar sure_until: by this host's clock, see :func:`elapsed`.
    :ivar is_lost: whether another host has it.
    """

    upload: Upload
    host: str
    process: str
    cut_at: int | None
    sure_until: float
    is_lost: bool = False
    is_released: bool = False

    def require(self) -> None:
        """Return if no other host can hold it. To be called before each change of the file.

        :raises Superseded: another does.
        :raises DatabaseUnavailable: it could not be renewed.
        """
        if self.is_lost:
            raise Superseded
        if elapsed() >= self.sure_until:
            raise DatabaseUnavailable("the lease of an upload could not be renewed")


def elapsed() -> float:
    """Return the seconds since a fixed moment, on this host."""
    return time.clock_gettime(_CLOCK)


@contextmanager
def hold(context: UploadContext, upload_id: str, file: BinaryIO | None) -> Iterator[Lease | None]:
    """Take the lease of an upload that is locked on this host; yield None if it has no row.

    :param file: that it is in, None if it is in the object store.
    :raises HeldElsewhere: it cannot be taken yet.
    """
    with _taking:
        lease = take(
            context.database,
            upload_id=upload_id,
            host=host_of(context.incoming),
            size=None if file is None else file_size(file),
        )
    if lease is None:
        yield None
        return
    renewer = _renewers.setdefault(context.database, _Renewer())
    renewer.add(lease, context.database)
    try:
        if file is not None and lease.cut_at is not None:
            native_threads.run(partial(truncate, file, lease.cut_at))
        yield lease
    finally:
        renewer.remove(lease)
        if not lease.is_released:
            with suppress(DatabaseUnavailable):  # then it ends by itself
                _release(context.database, lease)


@transaction(writes=True)
def take(session: Session, *, upload_id: str, host: str, size: int | None) -> Lease | None:
    """Take the lease of an upload, or return None if it has no row.

    The caller has its lock on this host. Another process of this host that holds the lease is dead
    for this reason.

    :param size: of its file, None if it has none.
    :raises HeldElsewhere: it cannot be taken yet.
    """
    asked = elapsed()
    row = session.get(Upload, upload_id, with_for_update=True)
    if row is None:
        return None
    time = clock(session)
    offset = (size or 0) if row.offset is None else row.offset
    is_short = size is not None and size < offset
    if row.locked_by is not None and not is_on(host, row.locked_by):
        ended = row.locked_until or time
        if ended > time or (is_short and time < ended + _CATCH_UP):
            raise HeldElsewhere
        row.fence += 1
    if row.fence and size is not None and size < offset:
        log.warning("acknowledged bytes are missing", upload=upload_id, offset=offset, size=size)
        offset = size
    row.offset = offset
    row.locked_by, row.locked_until = process_of(host), time + LEASE
    sure_until = asked + LEASE.total_seconds() - _MARGIN
    return Lease(row, host, row.locked_by, offset if row.fence else None, sure_until)


def record(
    database: Database,
    lease: Lease,
    *,
    offset: int,
    release: bool,
    expires_at: datetime | None = None,
) -> None:
    """Record how many bytes of an upload are synced, so that they may be acknowledged.

    :param release: whether the file will not be changed any more.
    :param expires_at: until when the upload can be continued, None to leave that.
    :raises Superseded, UploadExpired: see :func:`held`.
    """
    _record(database, lease, offset=offset, release=release, expires_at=expires_at)
    lease.is_released = release


@transaction(writes=True)
def _record(
    session: Session, lease: Lease, *, offset: int, release: bool, expires_at: datetime | None
) -> None:
    time = clock(session)
    values: dict[str, Any] = {"offset": offset, "locked_until": time + LEASE}
    if release:
        values |= _released(lease, time)
    if expires_at is not None:
        values["expires_at"] = expires_at
    if not change_rows(session, _held(lease).values(values)):
        if session.get(Upload, lease.upload.id) is None:
            raise UploadExpired
        raise Superseded


def held(session: Session, lease: Lease) -> Upload:
    """Lock and return the row of an upload, in a transaction of the holder of its lease.

    :raises Superseded: another host has taken over.
    :raises UploadExpired: the upload has no row any more.
    """
    row = session.get(Upload, lease.upload.id, with_for_update=True)
    if row is None:
        raise UploadExpired
    if (row.fence, row.locked_by) != (lease.upload.fence, lease.process):
        raise Superseded
    return row


@transaction(writes=True)
def _release(session: Session, lease: Lease) -> None:
    session.execute(_held(lease).values(_released(lease, clock(session))))


def _released(lease: Lease, time: datetime) -> dict[str, Any]:
    # Without a process no renewal that is under way can find it.
    return {"locked_by": nobody_of(lease.host), "locked_until": time}


def _held(lease: Lease) -> Update:
    row = lease.upload
    return update(Upload).where(
        Upload.id == row.id, Upload.fence == row.fence, Upload.locked_by == lease.process
    )


@transaction(writes=True)
def renew(session: Session, leases: list[Lease]) -> set[str]:
    """Extend leases of this process; return the ids of the uploads whose leases it still holds."""
    ids = [lease.upload.id for lease in leases]
    mine = Upload.id.in_(ids), Upload.locked_by.in_({lease.process for lease in leases})
    until = clock(session) + LEASE
    if change_rows(session, update(Upload).where(*mine).values(locked_until=until)) == len(ids):
        return set(ids)
    return set(session.scalars(select(Upload.id).where(*mine)))


class _Renewer:
    """Renews all leases of this process, in a thread that runs while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leases: set[Lease] = set()
        self._running = False

    def add(self, lease: Lease, database: Database) -> None:
        with self._lock:
            self._leases.add(lease)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, args=(database,), daemon=True).start()

    def remove(self, lease: Lease) -> None:
        with self._lock:
            self._leases.discard(lease)

    def _run(self, database: Database) -> None:
        while True:
            time.sleep(_RENEW)
            with self._lock:
                leases = list(self._leases)
                self._running = bool(leases)
            if not leases:
                return
            try:
                self._renew(database, leases)
            except DatabaseUnavailable as error:
                log.warning("leases of uploads could not be renewed", detail=str(error))
            except Exception:
                log.exception("renewing leases of uploads failed")

    def _renew(self, database: Database, leases: list[Lease]) -> None:
        asked = elapsed()
        held = renew(database, leases)
        for lease in leases:
            if lease.upload.id in held:
                lease.sure_until = asked + LEASE.total_seconds() - _MARGIN
            else:
                lease.is_lost = True


_renewers: "WeakKeyDictionary[Database, _Renewer]" = WeakKeyDictionary()
