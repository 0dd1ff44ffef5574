"""SHA-256 of files that are arriving, kept between the requests that bring them.

A process that has received all bytes of an upload, in their order, has its checksum at the end. If
another process took part, or this one died, the janitor reads the file again.
"""

import hashlib
import threading

_MAX_COUNT = 1000  # uploads; each is some hundred bytes


class RunningChecksums:
    """The hashes of unfinished uploads that this process knows. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, int, hashlib._Hash]] = {}  # the oldest first

    def take(self, upload_id: str, offset: int, *, fence: int) -> "hashlib._Hash | None":
        """Return the hash of an upload's first bytes, to go on with; None if it is not known.

        While one host writes to an upload, the bytes before an offset never change. So the offset
        and the fence of its lease tell whether it is the right one.
        """
        with self._lock:
            *kept, hashed = self._kept.pop(upload_id, (0, 0, hashlib.sha256()))
        return hashed if kept == [offset, fence] else hashlib.sha256() if offset == 0 else None

    def keep(
        self, upload_id: str, offset: int, hashed: "hashlib._Hash | None", *, fence: int
    ) -> None:
        """Remember the hash of an upload's first bytes; the oldest are forgotten."""
        if hashed is None:
            return
        with self._lock:
            self._kept.pop(upload_id, None)
            self._kept[upload_id] = offset, fence, hashed
            if len(self._kept) > _MAX_COUNT:
                del self._kept[next(iter(self._kept))]

    def pop(self, upload_id: str, size: int, *, fence: int) -> str | None:
        """Return the SHA-256 of a complete upload in hexadecimal, if this process knows it."""
        hashed = self.take(upload_id, size, fence=fence) if size else None
        return hashed.hexdigest() if hashed else None


checksums = RunningChecksums()
