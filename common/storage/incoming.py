"""Files of unfinished uploads: one for each, with one writer at a time."""

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from common.ids import is_id
from common.storage.durability import sync_bytes, sync_folder
from common.storage.errors import FileLocked
from common.storage.volume import Volume


class IncomingStore(Volume):
    """The files of unfinished uploads."""

    @contextmanager
    def create_incoming(self, upload_id: str) -> Iterator[BinaryIO]:
        """Open a new, empty file for an upload's bytes; the caller writes and syncs them."""
        path = self._incoming_path(upload_id)
        with path.open("xb", buffering=0) as file:
            sync_folder(self._incoming)
            yield file

    @contextmanager
    def open_for_appending(self, upload_id: str) -> Iterator[BinaryIO]:
        """Open an upload's bytes at their end, for one writer at a time.

        The lock is the file's own (flock), so that the end of a process, however it ends, is the
        end of its lock.

        :raises FileLocked: another writer has it open.
        :raises FileNotFoundError: there are no such bytes, or they have been published.
        """
        path = self._incoming_path(upload_id)
        with path.open("r+b", buffering=0) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise FileLocked from error
            # It may have been published or removed between the opening and the lock.
            if not os.path.samestat(path.stat(), os.fstat(file.fileno())):
                raise FileNotFoundError(errno.ENOENT, "replaced", str(path))
            file.seek(0, os.SEEK_END)
            yield file

    @contextmanager
    def scratch(self) -> Iterator[BinaryIO]:
        """Open a nameless file on the same volume; nothing is left of it, whatever happens."""
        with tempfile.TemporaryFile(dir=self._incoming, buffering=0) as file:
            yield file

    def open_incoming(self, upload_id: str) -> BinaryIO:
        """Open an upload's bytes for reading."""
        return self._incoming_path(upload_id).open("rb")

    def incoming_size(self, upload_id: str) -> int | None:
        """Return how many bytes an upload has, or None if it has no file."""
        status = self._status(upload_id)
        return None if status is None else status.st_size

    def incoming_modified(self, upload_id: str) -> float | None:
        """Return when an upload's bytes last changed, or None if it has none."""
        status = self._status(upload_id)
        return None if status is None else status.st_mtime

    def durable_size(self, upload_id: str) -> int | None:
        """Sync an upload's file and return its size, or None if it has no file.

        Another request may be appending at the same time.
        """
        try:
            with self._incoming_path(upload_id).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                sync_bytes(file.fileno())
        except FileNotFoundError:
            return None
        return size

    def list_incoming(self) -> Iterator[tuple[str, float]]:
        """Yield the id of each unfinished upload and when its bytes last changed."""
        for upload_id, status in self._all():
            yield upload_id, status.st_mtime

    def sizes(self) -> dict[str, int]:
        """Return how many bytes each unfinished upload has, by its id."""
        return {upload_id: status.st_size for upload_id, status in self._all()}

    def drop_incoming(self, upload_id: str) -> None:
        """Remove an unfinished upload's bytes; those that are gone already are fine."""
        self._incoming_path(upload_id).unlink(missing_ok=True)

    def _all(self) -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(self._incoming) as entries:
            for entry in entries:
                if is_id(entry.name) and (status := self._status(entry.name)):
                    yield entry.name, status

    def _status(self, upload_id: str) -> os.stat_result | None:
        try:
            return self._incoming_path(upload_id).stat()
        except FileNotFoundError:
            return None
