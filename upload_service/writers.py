"""One writer per upload, across processes, and how a client takes over from its own dead request.

The lock is the file's (see `MediaStorage.open_for_appending`). Somebody who finds it held says so
in Redis; the holder's process looks there several times a second, and the holder gives way if its
own client has gone quiet. One whose bytes come briskly is left alone: then two clients send, and
one has to wait. An owner who throws the upload away waits for nobody.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO
from weakref import WeakKeyDictionary

from redis import Redis
from redis.exceptions import RedisError

from common.errors import Conflict, MatineeError
from common.storage import BeingWritten, MediaStorage
from upload_service.body import ClientLeft

WAIT = 2.0
"""Seconds for whoever holds an upload to give way."""

_POLL = 0.02  # seconds between two tries for the lock
_LOOK = 0.3  # seconds between two looks for somebody who waits
_BRISK = 64 << 10  # bytes between two looks; with fewer, a holder gives way
_CLAIM_TTL = 5  # seconds
_WHEN_QUIET, _AT_ONCE = "quiet", "at once"  # what a claim says


class Locked(MatineeError):
    """Another request of this upload is under way, and its bytes are coming."""

    status = 423

    def __init__(self) -> None:
        super().__init__("This upload is being written by another request. Try again in a moment.")
        self.headers["Retry-After"] = "1"


class TakenOver(Conflict):
    """A newer request goes on with this upload. What arrived in this one is kept."""

    def __init__(self) -> None:
        super().__init__("A newer request has taken over this upload.")


@contextmanager
def sole_writer(
    redis: Redis,
    storage: MediaStorage,
    upload_id: str,
    *,
    patience: float = WAIT,
    at_once: bool = False,
) -> Iterator[BinaryIO]:
    """Open an upload's bytes for appending; whoever holds them and has gone quiet gives way.

    :param patience: seconds for that; with none nobody is asked to give way.
    :param at_once: the holder gives way even if bytes are coming.
    :raises Locked: the holder goes on.
    :raises FileNotFoundError: there are no such bytes, or they are in their place already.
    """
    deadline = time.monotonic() + patience
    claimed = False
    try:
        while True:
            opened = storage.open_for_appending(upload_id)
            try:
                file = opened.__enter__()
            except BeingWritten as error:
                if not patience or time.monotonic() > deadline:
                    raise Locked from error
                if not claimed:
                    claimed = _claim(redis, upload_id, at_once=at_once)
                time.sleep(_POLL)
            else:
                break
    finally:
        if claimed:
            _withdraw(redis, upload_id)
    try:
        yield file
    finally:
        opened.__exit__(None, None, None)


@dataclass(eq=False)
class Holder:
    """A request that is receiving bytes for an upload.

    :ivar arrived: bytes so far; the request counts them.
    :ivar taken_over: whether another request goes on.
    """

    upload_id: str
    interrupt: Callable[[], None]
    arrived: int = 0
    taken_over: bool = False
    seen: int | None = None

    def look(self, claim: str | None) -> None:
        """Give way to a claim, unless bytes have come briskly since the last look."""
        seen, self.seen = self.seen, self.arrived
        if claim is None or (claim != _AT_ONCE and (seen is None or self.arrived - seen > _BRISK)):
            return
        self.taken_over = True
        self.interrupt()


class Watch:
    """Looks, for all requests of this process that are receiving, whether somebody claims theirs.

    One look for all: a thousand uploads that wait for their next byte must cost next to nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders: set[Holder] = set()
        self._running = False

    @contextmanager
    def over(self, holder: Holder, redis: Redis) -> Iterator[None]:
        """Look after a request until it has received all."""
        with self._lock:
            self._holders.add(holder)
            if not self._running:
                self._running = True
                threading.Thread(
                    target=self._run, args=(redis,), name="claims", daemon=True
                ).start()
        try:
            yield
        finally:
            with self._lock:
                self._holders.discard(holder)

    def _run(self, redis: Redis) -> None:
        while True:
            time.sleep(_LOOK)
            with self._lock:
                holders = list(self._holders)
                if not holders:
                    self._running = False
                    return
            for holder, claim in zip(holders, _claims(redis, holders), strict=True):
                with self._lock:  # or it might have ended, and its connection be another's
                    if holder in self._holders:
                        holder.look(claim)


_watches: "WeakKeyDictionary[Redis, Watch]" = WeakKeyDictionary()


@contextmanager
def watched(redis: Redis, holder: Holder) -> Iterator[None]:
    """Receive until another request claims the upload and little arrives.

    :raises TakenOver: another request goes on.
    """
    watch = _watches.setdefault(redis, Watch())
    try:
        with watch.over(holder, redis):
            yield
    except ClientLeft as error:
        if holder.taken_over:
            raise TakenOver from error
        raise


def _key(upload_id: str) -> str:
    return f"upload-claim:{upload_id}"


# Without Redis nobody gives way before a minute of silence; nothing else depends on it here.


def _claim(redis: Redis, upload_id: str, *, at_once: bool) -> bool:
    try:
        redis.set(_key(upload_id), _AT_ONCE if at_once else _WHEN_QUIET, ex=_CLAIM_TTL)
    except RedisError:
        return False
    return True


def _withdraw(redis: Redis, upload_id: str) -> None:
    try:
        redis.delete(_key(upload_id))
    except RedisError:
        return


def _claims(redis: Redis, holders: list[Holder]) -> list[str | None]:
    try:
        claims: Any = redis.mget([_key(one.upload_id) for one in holders])
    except RedisError:
        return [None] * len(holders)
    return list(claims)
