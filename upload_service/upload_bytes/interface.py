"""What can be done with the bytes of an upload, wherever they are."""

import hashlib
from collections.abc import Sequence
from typing import BinaryIO, Protocol


class Writer(Protocol):
    """Appends pieces, while the request receives the next ones."""

    @property
    def end(self) -> int:
        """Bytes of the upload that are whole pieces."""

    def append(self, piece: bytes) -> None:
        """Have a piece written after those before it.

        :raises OSError, StorageFull, MatineeError: an earlier piece could not be written. No later
            one will be.
        """

    def flush(self) -> None:
        """Wait until every piece is written. It raises as :meth:`append` does."""


class UploadBytes(Protocol):
    """The bytes of an upload, for one writer.

    Each change raises what `Lease.require` raises if another host may be writing.
    """

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def writer(self, hashes: Sequence["hashlib._Hash"] = ()) -> Writer:
        """Return a writer that begins where the bytes end.

        :param hashes: take in what is appended.
        """

    def append_file(self, source: BinaryIO, *, start: int = 0) -> None:
        """Append what an open file holds from `start` on. It raises as `Writer.append` does."""

    def sync(self) -> None:
        """Make durable what was appended, before it is acknowledged.

        If a disk fails, everything since the bytes were opened is cut off: nobody knows what became
        of it. If the object store fails, what had become a part stays.

        :raises OSError, StorageFull, StoreAway: the disk, or the object store, failed.
        """

    def keep(self, size: int) -> None:
        """Cut off what is beyond a size, and make the rest durable; see :meth:`sync`."""

    def undo(self) -> None:
        """Go back to the size at which the bytes were opened."""
