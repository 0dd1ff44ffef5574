"""Bytes into files: received, written, hashed and synced, or taken back."""

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from common.errors import MatineeError
from common.storage import MediaStorage, StorageFull
from db import native_threads
from upload_service.counters import bytes_received
from upload_service.pipeline import Piece, Pipeline, Sink
from upload_service.reservations import NoRoom

if TYPE_CHECKING:
    from hashlib import _Hash


class PastTheEnd(MatineeError):
    """More bytes are sent than were announced."""

    status = 413

    def __init__(self) -> None:
        super().__init__("These are more bytes than were announced, so none of them was kept.")


class ChecksumMismatch(MatineeError):
    """The bytes are not those that the client read."""

    status = 460

    def __init__(self) -> None:
        super().__init__("These bytes were damaged on the way, so none of them was kept.")


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one request must hash to."""

    new_hash: Callable[[], "_Hash"]
    digest: bytes


class Arriving(Protocol):
    """What is received: see :meth:`Body.pieces`."""

    def __call__(self, make_room: Callable[[], None]) -> Iterator[Piece]:
        """Yield pieces, to be released by the caller."""


def store(file: BinaryIO, arriving: Arriving, *, most: int, receipt: "_Hash | None") -> int:
    """Append what arrives and sync it; return where the file ends. What came in time is kept.

    :param most: bytes of the whole file.
    :param receipt: takes the bytes in, as far as they are kept.
    :raises PastTheEnd: there is more; nothing is kept.
    :raises NoRoom: the volume is full; nothing is kept that was not synced.
    """
    start = MediaStorage.size(file)
    sink = Sink(file, [receipt] if receipt else [])
    try:
        receive(sink, arriving, most=most)
    except PastTheEnd:
        cut(file, start)
        raise
    except BaseException as error:
        cut(file, sink.end)  # a piece that was written half
        sync(file, start=start)
        if isinstance(error, StorageFull):
            raise NoRoom from error
        raise
    sync(file, start=start)
    return sink.end


def store_checked(
    storage: MediaStorage,
    file: BinaryIO,
    arriving: Arriving,
    *,
    most: int,
    checksum: Checksum,
    receipt: "_Hash | None",
) -> int:
    """Append what arrives once all of it is there and matches; until then it waits beside the file.

    :raises ChecksumMismatch: it does not match; nothing is kept.
    :raises PastTheEnd: there is more than `most` allows; nothing is kept.
    :raises NoRoom: the volume is full; nothing is kept.
    """
    start = MediaStorage.size(file)
    hashed = checksum.new_hash()
    with storage.scratch() as scratch:
        sink = Sink(scratch, [hashed, receipt] if receipt else [hashed], direct=False)
        try:
            receive(sink, arriving, most=most - start)
            if not hmac.compare_digest(hashed.digest(), checksum.digest):
                raise ChecksumMismatch
            native_threads.run(lambda: storage.append_from(scratch, file))
        except StorageFull as error:
            cut(file, start)
            raise NoRoom from error
        except OSError:
            cut(file, start)
            raise
    sync(file, start=start)
    return start + sink.end


def receive(sink: Sink, arriving: Arriving, *, most: int) -> None:
    """Write what arrives to a sink, all that arrived before something went wrong included.

    :raises PastTheEnd: the sink would hold more than `most` bytes.
    """
    pipeline = Pipeline(sink)
    end = sink.end
    try:
        try:
            for piece in arriving(pipeline.flush):
                size = len(piece.content)
                end += size
                if end > most:
                    piece.release()
                    raise PastTheEnd
                bytes_received.inc(size)
                pipeline.put(piece)
        except MatineeError:
            pipeline.flush()
            raise
        pipeline.flush()
    finally:
        pipeline.close()


def sync(file: BinaryIO, *, start: int) -> None:
    """Sync what was appended, or take it back: nobody knows what became of it.

    :raises NoRoom: a volume that allots room late has none.
    """
    try:
        native_threads.run(lambda: MediaStorage.sync(file))
    except StorageFull as error:
        cut(file, start)
        raise NoRoom from error
    except OSError:
        cut(file, start)
        raise


def cut(file: BinaryIO, size: int) -> None:
    """Take a file back to a size."""
    native_threads.run(lambda: MediaStorage.cut(file, size))
