"""Files of unfinished uploads: one for each, with one writer at a time."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from common.file_lock import is_at, try_lock
from common.ids import is_id
from common.storage.durability import sync_bytes, sync_path
from common.storage.errors import FileLocked
from common.storage.volume import Volume

_LOCK = ".lock"  # what the name of a lock ends with


class IncomingStore(Volume):
    """The files of unfinished uploads."""

    def create_incoming(self, upload_id: str) -> None:
        """Create an empty file for an upload's bytes, durably."""
        self._incoming_path(upload_id).touch(exist_ok=False)
        sync_path(self._incoming)

    @contextmanager
    def open_for_appending(self, upload_id: str) -> Iterator[BinaryIO]:
        """Open an upload's bytes at their end, for one writer at a time.

        :raises FileLocked: another writer has it open.
        :raises FileNotFoundError: there are no such bytes, or they have been published.
        """
        path = self._incoming_path(upload_id)
        with path.open("r+b", buffering=0) as file:
            if not try_lock(file):
                raise FileLocked
            if not is_at(file.fileno(), path):
                raise FileNotFoundError(errno.ENOENT, "replaced", str(path))
            file.seek(0, os.SEEK_END)
            yield file

    @contextmanager
    def lock(self, upload_id: str) -> Iterator[None]:
        """Hold the lock of an upload whose bytes are elsewhere, like that of a file's one writer.

        :raises FileLocked: another writer holds it.
        """
        path = self._incoming_path(upload_id).with_suffix(_LOCK)
        with path.open("wb") as file:
            if not try_lock(file) or not is_at(file.fileno(), path):
                raise FileLocked
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def drop_unheld_locks(self) -> None:
        """Remove what killed holders of locks have left."""
        for path in self._incoming.glob(f"*{_LOCK}"):
            with suppress(FileLocked), self.lock(path.stem):
                pass

    def scratch(self) -> BinaryIO:
        """Open a nameless file on the same volume; nothing is left of it, whatever happens."""
        return tempfile.TemporaryFile(dir=self._incoming, buffering=0)

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

    def identity(self) -> str:
        """Return the name of the folder; the processes that see the same share its locks.

        It is unique only on one running kernel.
        """
        status = self._incoming.stat()
        return f"{status.st_dev:x}:{status.st_ino:x}"

    def sizes(self) -> dict[str, int]:
        """Return how many bytes each unfinished upload has, by its id."""
        ids = [path.name for path in self._incoming.iterdir() if is_id(path.name)]
        return {one: size for one in ids if (size := self.incoming_size(one)) is not None}

    def drop_incoming(self, upload_id: str) -> None:
        """Remove an unfinished upload's bytes; those that are gone already are fine."""
        self._incoming_path(upload_id).unlink(missing_ok=True)

    def _status(self, upload_id: str) -> os.stat_result | None:
        try:
            return self._incoming_path(upload_id).stat()
        except FileNotFoundError:
            return None
