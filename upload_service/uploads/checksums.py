"""SHA-256 of files that are arriving, kept between the requests that bring them.

A process that has received all bytes of an upload, in their order, has its checksum at the end. If
another process took part, or this one died, the janitor reads the file again.
"""

import hashlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash

_KEPT = 3600  # seconds
_MAX_COUNT = 1000  # uploads; each is some hundred bytes


@dataclass
class _Kept:
    offset: int
    hashed: "_Hash"
    since: float


class RunningChecksums:
    """The hashes of unfinished uploads that this process knows. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def take(self, upload_id: str, offset: int) -> "_Hash | None":
        """Return the hash of an upload's first bytes, to go on with; None if it is not known.

        The bytes before an offset never change, so the offset tells whether it is the right one.
        """
        with self._lock:
            kept = self._kept.pop(upload_id, None)
        if offset == 0:
            return hashlib.sha256()
        return kept.hashed if kept is not None and kept.offset == offset else None

    def keep(self, upload_id: str, offset: int, hashed: "_Hash | None") -> None:
        """Remember the hash of an upload's first bytes; the oldest are forgotten."""
        if hashed is None:
            return
        with self._lock:
            self._kept.pop(upload_id, None)
            self._kept[upload_id] = _Kept(offset, hashed, time.monotonic())
            # The order of insertion is that of age.
            for other in list(self._kept):
                old = self._kept[other].since < time.monotonic() - _KEPT
                if not old and len(self._kept) <= _MAX_COUNT:
                    break
                del self._kept[other]

    def pop(self, upload_id: str, size: int) -> str | None:
        """Return the SHA-256 of a complete upload in hexadecimal, if this process knows it."""
        with self._lock:
            kept = self._kept.pop(upload_id, None)
        return kept.hashed.hexdigest() if kept is not None and kept.offset == size else None


checksums = RunningChecksums()
