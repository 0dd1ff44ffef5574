"""One writer per upload, across processes, and how a client takes over from its own dead request.

The lock is the file's (see `MediaStorage.open_for_appending`). Somebody who finds it held says so
in Redis; the holder looks there several times a second, and gives way if its own client has gone
quiet. A request whose bytes come briskly is left alone: then two clients send, and one has to wait.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from redis import Redis
from redis.exceptions import RedisError

from common.errors import Conflict, MatineeError
from common.storage import BeingWritten, MediaStorage

WAIT = 2.0
"""Seconds for whoever holds an upload to give way."""

_POLL = 0.02  # seconds between two tries for the lock
_LOOK = 0.3  # seconds between two looks for somebody who waits
_BRISK = 64 << 10  # bytes between two looks; with fewer, a holder gives way
_CLAIM_TTL = 5  # seconds


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
    redis: Redis, storage: MediaStorage, upload_id: str, *, patience: float = WAIT
) -> Iterator[BinaryIO]:
    """Open an upload's bytes for appending; whoever holds them and has gone quiet gives way.

    :param patience: seconds for that; with none nobody is asked to give way.
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
                    claimed = _claim(redis, upload_id)
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


def until_claimed(
    redis: Redis, upload_id: str, pieces: Iterable[memoryview | None]
) -> Iterator[memoryview]:
    """Pass on what arrives, until another request waits for this upload and little arrives.

    :param pieces: None stands for some time in which nothing came.
    :raises TakenOver: another request goes on.
    """
    arrived = 0
    next_look = time.monotonic() + _LOOK
    for piece in pieces:
        if piece is not None:
            arrived += len(piece)
            yield piece
        if piece is None or time.monotonic() >= next_look:
            if arrived < _BRISK and _is_claimed(redis, upload_id):
                raise TakenOver
            arrived = 0
            next_look = time.monotonic() + _LOOK


def _key(upload_id: str) -> str:
    return f"upload-claim:{upload_id}"


# Without Redis nobody gives way before a minute of silence; nothing else depends on it here.


def _claim(redis: Redis, upload_id: str) -> bool:
    try:
        redis.set(_key(upload_id), "1", ex=_CLAIM_TTL)
    except RedisError:
        return False
    return True


def _withdraw(redis: Redis, upload_id: str) -> None:
    try:
        redis.delete(_key(upload_id))
    except RedisError:
        return


def _is_claimed(redis: Redis, upload_id: str) -> bool:
    try:
        return bool(redis.exists(_key(upload_id)))
    except RedisError:
        return False
