"""Appending pieces to an upload: durable when it returns, or undone."""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from common.errors import MatineeError
from common.storage import IncomingStore, StorageFull
from common.translation import gettext_noop
from upload_service.metrics import bytes_received
from upload_service.receive.writer import FileWriter
from upload_service.upload_bytes.interface import UploadBytes, Writer


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
    target: UploadBytes,
    pieces: Iterable[bytes],
    *,
    max_bytes: int,
    sha256: "hashlib._Hash | None",
) -> int:
    """Append pieces to an upload and sync it; return its new size.

    If `pieces` raises, those before the exception are kept, synced.

    :param max_bytes: of the whole upload.
    :param sha256: takes in the bytes that are kept.
    :raises LengthExceeded: there are more; nothing is kept.
    :raises StorageFull: the volume is full; what was written before is kept, if it can be synced.
    :raises StoreAway: the object store does not answer; what had become a part is kept.
    """
    writer = target.writer([sha256] if sha256 else [])
    try:
        _write(writer, pieces, max_bytes=max_bytes)
    except LengthExceeded:
        target.undo()
        raise
    except BaseException:
        target.keep(writer.end)  # a piece may have been written in part
        raise
    target.sync()
    return writer.end


def append_checked(
    incoming: IncomingStore,
    target: UploadBytes,
    pieces: Iterable[bytes],
    *,
    max_bytes: int,
    checksum: Checksum,
    sha256: "hashlib._Hash | None",
) -> int:
    """As :func:`append_pieces`, once all pieces are there and match; they wait in another file.

    :raises ChecksumMismatch, LengthExceeded, StorageFull: nothing is kept.
    :raises StoreAway: the object store does not answer; what had become a part is kept.
    """
    start = target.size
    hashed = checksum.new_hash()
    with incoming.scratch() as scratch:
        writer = FileWriter(scratch, [hashed, sha256] if sha256 else [hashed])
        _write(writer, pieces, max_bytes=max_bytes - start)
        if not hmac.compare_digest(hashed.digest(), checksum.digest):
            raise ChecksumMismatch
        try:
            target.append_file(scratch)
        except (OSError, StorageFull):
            target.undo()
            raise
    target.sync()
    return start + writer.end


def _write(writer: Writer, pieces: Iterable[bytes], *, max_bytes: int) -> None:
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
