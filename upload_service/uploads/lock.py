"""One writer per upload, across processes; a newer request supersedes one that has stalled.

The lock is a file's (see `IncomingStore`). A request that finds it held sets
a claim in Redis. The process that holds it looks for claims several times a second, and ends the
older request if its client has sent little since the last look. A request whose bytes keep coming
is left alone, and the newer one is refused; deleting an upload ends any request. Between hosts the
lease of the upload is the lock (see `upload_service.uploads.lease`).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from redis import Redis
from redis.exceptions import RedisError

from common.errors import MatineeError
from common.storage import FileLocked
from common.translation import gettext_noop
from db.models import Upload
from upload_service.receive.body import ClientDisconnected
from upload_service.upload_bytes.disk import DiskBytes
from upload_service.upload_bytes.interface import UploadBytes
from upload_service.upload_bytes.rows import is_in_store
from upload_service.upload_bytes.store import StoreBytes
from upload_service.uploads.context import UploadContext
from upload_service.uploads.lease import HeldElsewhere, Lease, Superseded, hold

LOCK_WAIT = 2.0  # seconds that a request waits for an older one to end
_POLL = 0.02  # seconds between two tries for the lock
_LEASE_POLL = 0.2  # seconds between two tries for the lease
_CLAIM_INTERVAL = 0.3  # seconds between two looks for claims
_ACTIVE_BYTES = 64 << 10  # bytes between two looks; a request with fewer has stalled
_CLAIM_TTL = 5  # seconds
_IF_STALLED, _ALWAYS = "quiet", "at once"  # what a claim says

log = structlog.get_logger()


class UploadLocked(MatineeError):
    """Another request of this upload is under way, and its bytes are coming."""

    status = 423
    sentence = gettext_noop(
        "This upload is being written by another request. Try again in a moment."
    )
    retry_after = 1


@dataclass(frozen=True)
class LockedUpload:
    """The bytes of an upload, and the lease without which they are not changed."""

    bytes: UploadBytes
    lease: Lease

    @property
    def upload(self) -> Upload:
        """The row as it was when the lease began."""
        return self.lease.upload


@contextmanager
def exclusive_writer(
    context: UploadContext, upload_id: str, *, wait: float = LOCK_WAIT, force: bool = False
) -> Iterator[LockedUpload | None]:
    """Open an upload's bytes for appending; yield None if it has none, or no row.

    :param wait: seconds for an older request to end; with 0 none is asked to.
    :param force: end the older request even if its bytes keep coming.
    :raises UploadLocked: the older request goes on.
    """
    redis = context.stores.redis
    deadline = time.monotonic() + wait
    with ExitStack() as lock:
        with ExitStack() as claim:
            claimed = False
            while True:
                try:
                    locked = lock.enter_context(_try_lock(context, upload_id))
                    break
                except (FileLocked, HeldElsewhere) as error:
                    if not wait or time.monotonic() > deadline:
                        raise UploadLocked from error
                    poll = _LEASE_POLL if isinstance(error, HeldElsewhere) else _POLL
                if not claimed:
                    claimed = True
                    claim.enter_context(_claim(redis, upload_id, force=force))
                time.sleep(poll)
        yield locked


@contextmanager
def _try_lock(context: UploadContext, upload_id: str) -> Iterator[LockedUpload | None]:
    with ExitStack() as lock:
        file = None
        if context.object_store is not None and is_in_store(context.database, upload_id=upload_id):
            lock.enter_context(context.incoming.lock(upload_id))
        else:
            try:
                file = lock.enter_context(context.incoming.open_for_appending(upload_id))
            except FileNotFoundError:
                yield None
                return
        lease = lock.enter_context(hold(context, upload_id, file))
        if lease is None:
            yield None
        elif file is None:
            yield LockedUpload(lock.enter_context(closing(StoreBytes(context, lease))), lease)
        else:
            yield LockedUpload(DiskBytes(file, lease.require), lease)


@dataclass(eq=False)
class ActiveWriter:
    """A request that is receiving bytes for an upload.

    :ivar interrupt: ends its wait for the client.
    :ivar arrived: bytes so far; the request counts them.
    :ivar seen: what `arrived` was at the last look for claims.
    """

    upload_id: str
    interrupt: Callable[[], None]
    arrived: int = 0
    superseded: bool = False
    seen: int | None = None

    def check(self, claim: str | None) -> None:
        """End the request if there is a claim, unless enough has arrived since the last check."""
        seen, self.seen = self.seen, self.arrived
        has_stalled = seen is not None and self.arrived - seen <= _ACTIVE_BYTES
        if claim == _ALWAYS or (claim is not None and has_stalled):
            self.superseded = True
            self.interrupt()


class ClaimWatcher:
    """Looks for claims on behalf of all requests of this process that are receiving.

    One query serves all, so that a thousand uploads that wait for a byte cost next to nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writers: set[ActiveWriter] = set()
        self._running = False

    def add(self, writer: ActiveWriter, redis: Redis) -> None:
        """Check a request's claims from now on."""
        with self._lock:
            self._writers.add(writer)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, args=(redis,), daemon=True).start()

    def remove(self, writer: ActiveWriter) -> None:
        """Leave a request alone: it has received everything."""
        with self._lock:
            self._writers.discard(writer)

    def _run(self, redis: Redis) -> None:
        while True:
            time.sleep(_CLAIM_INTERVAL)
            with self._lock:
                writers = list(self._writers)
                self._running = bool(writers)
            if not writers:
                return
            try:
                for writer, claim in zip(writers, _claims(redis, writers), strict=True):
                    with self._lock:  # or it might have ended, and its connection be another's
                        if writer in self._writers:
                            writer.check(claim)
            except Exception:
                log.exception("checking claims failed")


_watchers: "WeakKeyDictionary[Redis, ClaimWatcher]" = WeakKeyDictionary()


@contextmanager
def supersedable(redis: Redis, writer: ActiveWriter) -> Iterator[None]:
    """Receive until everything has arrived; raise :class:`Superseded` if another continues."""
    watcher = _watchers.setdefault(redis, ClaimWatcher())
    watcher.add(writer, redis)
    try:
        yield
    except ClientDisconnected as error:
        if writer.superseded:
            raise Superseded from error
        raise
    finally:
        watcher.remove(writer)


# Without Redis a stalled request ends after a minute; nothing else here depends on Redis.


@contextmanager
def _claim(redis: Redis, upload_id: str, *, force: bool) -> Iterator[None]:
    with suppress(RedisError):
        redis.set(_key(upload_id), _ALWAYS if force else _IF_STALLED, ex=_CLAIM_TTL)
    try:
        yield
    finally:
        with suppress(RedisError):
            redis.delete(_key(upload_id))


def _claims(redis: Redis, writers: list[ActiveWriter]) -> list[str | None]:
    with suppress(RedisError):
        claims: Any = redis.mget([_key(one.upload_id) for one in writers])
        return list(claims)
    return [None] * len(writers)


def _key(upload_id: str) -> str:
    return f"upload-claim:{upload_id}"
