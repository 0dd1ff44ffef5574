"""The bytes of an upload in a file of the volume."""

import hashlib
from collections.abc import Callable, Sequence
from typing import BinaryIO

from common.storage import StorageFull, file_io
from db import native_threads
from upload_service.receive.writer import FileWriter


class DiskBytes:
    """See `UploadBytes`.

    :param file: open for appending, at its end.
    :param require_lease: called before each change of the file, undoing included: it raises once a
        request on another host may be writing.
    """

    def __init__(self, file: BinaryIO, require_lease: Callable[[], None]) -> None:
        self._file, self._require_lease = file, require_lease
        self._start = self.size

    @property
    def size(self) -> int:
        return file_io.file_size(self._file)

    def writer(self, hashes: Sequence["hashlib._Hash"] = ()) -> FileWriter:
        return FileWriter(self._file, hashes, before_write=self._require_lease)

    def append_file(self, source: BinaryIO, *, start: int = 0) -> None:
        native_threads.run(
            lambda: file_io.append_from(
                source, self._file, start=start, before_piece=self._require_lease
            )
        )

    def sync(self) -> None:
        try:
            native_threads.run(lambda: file_io.sync(self._file))
        except (OSError, StorageFull):
            self.undo()
            raise

    def keep(self, size: int) -> None:
        self._truncate(size)
        self.sync()

    def undo(self) -> None:
        self._truncate(self._start)

    def _truncate(self, size: int) -> None:
        self._require_lease()
        native_threads.run(lambda: file_io.truncate(self._file, size))
