"""Writing an upload's bytes in a native thread, while the request receives the next ones."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import BinaryIO

from common.storage import file_io
from db import native_threads

_MAX_WAITING = 6  # pieces that may wait while another is being written
_SYNC_STEP = 8 << 20  # bytes after which the disk starts to write them


class FileWriter:
    """Appends pieces to a file, and takes them into hashes.

    It uses a native thread while there is something to write, and none while the client pauses.
    One request uses it.

    :param before_write: called in that thread before each write; no more is written if it raises.
    :ivar end: bytes of the file that are whole pieces.
    """

    def __init__(
        self,
        file: BinaryIO,
        hashes: Iterable["hashlib._Hash"] = (),
        *,
        before_write: Callable[[], None] | None = None,
    ) -> None:
        self.end = file_io.file_size(file)
        self._file = file
        self._hashes = list(hashes)
        self._before_write = before_write
        self._sync_begun = self.end
        self._lock = native_threads.new_lock()
        self._waiting: deque[bytes] = deque()
        self._idle = True
        self._thread: native_threads.Started[None] | None = None

    def append(self, piece: bytes) -> None:
        """Have a piece written after those before it; wait only if several are waiting already.

        :raises OSError: an earlier piece could not be written. No later one will be.
        :raises StorageFull: the same, because the volume is full.
        """
        if len(self._waiting) >= _MAX_WAITING or (self._thread and self._thread.done()):
            self.flush()
        with self._lock:
            self._waiting.append(piece)
            start, self._idle = self._idle, False
        if start:
            self.flush()  # the thread that has just become idle
            self._thread = native_threads.start(self._run)

    def flush(self) -> None:
        """Wait until every piece is written.

        :raises OSError: one could not be written; those after it are dropped.
        :raises StorageFull: the same, because the volume is full.
        """
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.result()

    def _run(self) -> None:
        """Write pieces until none is waiting. After an error it is never started again."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._idle = True
                    return
                piece = self._waiting.popleft()
            self._write(piece)

    def _write(self, piece: bytes) -> None:
        if self._before_write is not None:
            self._before_write()
        file_io.append(self._file, piece)
        self.end += len(piece)
        for hashed in self._hashes:
            hashed.update(piece)
        if self.end - self._sync_begun >= _SYNC_STEP:
            file_io.begin_sync(self._file, self._sync_begun, self.end)
            self._sync_begun = self.end
