"""Appending pieces to an upload's file: durable when it returns, or rolled back.

Each function takes `require_lease`, which raises once a request on another host may be writing. It
is called before each change of the file, rolling back included: the file is the other's then.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO

from common.errors import MatineeError
from common.storage import IncomingStore, StorageFull, file_io
from common.translation import gettext_noop
from db import native_threads
from upload_service.metrics import bytes_received
from upload_service.receive.writer import FileWriter


class LengthExceeded(MatineeError):
    """More bytes are sent than were announced."""

    status = 413
    sentence = gettext_noop("These are more bytes than were announced, so none of them was kept.")


class ChecksumMismatch(MatineeError):
    """The bytes are not those that the client read."""

    status = 460
    sentence = gettext_noop("These bytes were damaged on the way, so none of them was kept.")


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one request must hash to."""

    new_hash: Callable[[], "hashlib._Hash"]
    digest: bytes


def append_pieces(
    file: BinaryIO,
    pieces: Iterable[bytes],
    *,
    max_bytes: int,
    sha256: "hashlib._Hash | None",
    require_lease: Callable[[], None],
) -> int:
    """Append pieces to a file and sync it; return its new size.

    If `pieces` raises, those before the exception are kept, synced.

    :param max_bytes: of the whole file.
    :param sha256: takes in the bytes that are kept.
    :raises LengthExceeded: there are more; nothing is kept.
    :raises StorageFull: the volume is full; what was written before is kept, if it can be synced.
    """
    start = file_io.file_size(file)
    writer = FileWriter(file, [sha256] if sha256 else [], before_write=require_lease)
    try:
        _write(writer, pieces, max_bytes=max_bytes)
    except LengthExceeded:
        _truncate(file, start, require_lease)
        raise
    except BaseException:
        _truncate(file, writer.end, require_lease)  # a piece may have been written in part
        sync_or_truncate(file, start=start, require_lease=require_lease)
        raise
    sync_or_truncate(file, start=start, require_lease=require_lease)
    return writer.end


def append_checked(
    incoming: IncomingStore,
    file: BinaryIO,
    pieces: Iterable[bytes],
    *,
    max_bytes: int,
    checksum: Checksum,
    sha256: "hashlib._Hash | None",
    require_lease: Callable[[], None],
) -> int:
    """As :func:`append_pieces`, once all pieces are there and match; they wait in another file.

    :raises ChecksumMismatch: they do not match; nothing is kept.
    :raises LengthExceeded: there are more than `max_bytes` allows; nothing is kept.
    :raises StorageFull: the volume is full; nothing is kept.
    """
    start = file_io.file_size(file)
    hashed = checksum.new_hash()
    with incoming.scratch() as scratch:
        writer = FileWriter(scratch, [hashed, sha256] if sha256 else [hashed])
        _write(writer, pieces, max_bytes=max_bytes - start)
        if not hmac.compare_digest(hashed.digest(), checksum.digest):
            raise ChecksumMismatch
        try:
            native_threads.run(
                lambda: file_io.append_from(scratch, file, before_piece=require_lease)
            )
        except (OSError, StorageFull):
            _truncate(file, start, require_lease)
            raise
    sync_or_truncate(file, start=start, require_lease=require_lease)
    return start + writer.end


def sync_or_truncate(file: BinaryIO, *, start: int, require_lease: Callable[[], None]) -> None:
    """Sync what was appended, or cut the file back: nobody knows what became of the bytes.

    :raises StorageFull: a volume that allocates late has no space.
    :raises OSError: the disk failed.
    """
    try:
        native_threads.run(lambda: file_io.sync(file))
    except (OSError, StorageFull):
        _truncate(file, start, require_lease)
        raise


def _write(writer: FileWriter, pieces: Iterable[bytes], *, max_bytes: int) -> None:
    """Write pieces; return once nothing is being written any more, however it ends."""
    start = end = writer.end
    try:
        for piece in pieces:
            end += len(piece)
            if end > max_bytes:
                raise LengthExceeded
            writer.append(piece)
    finally:
        writer.flush()
        bytes_received.inc(writer.end - start)


def _truncate(file: BinaryIO, size: int, require_lease: Callable[[], None]) -> None:
    require_lease()
    native_threads.run(lambda: file_io.truncate(file, size))
