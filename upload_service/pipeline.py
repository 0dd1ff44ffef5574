"""Bytes on their way from a socket to a file: written and hashed while the next ones arrive.

A request receives into buffers of a pool that the whole process shares, and hands them to a native
thread that writes them in their order. So receiving, writing, hashing and the disk's own work go on
at the same time, and memory does not grow with the number of uploads.
"""

import mmap
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, BinaryIO

from common.storage import MediaStorage
from db import native_threads

if TYPE_CHECKING:
    from hashlib import _Hash

SIZE = 1 << 20
"""Bytes of a buffer."""

PAGE = 4096
"""Bytes; what goes past the system's cache begins and ends with whole ones."""

_COUNT = 8  # buffers of a process; one upload uses up to seven
_AHEAD = 3  # buffers that one upload may have received while its last ones are being written
_EAGER = 8 << 20  # bytes after which the disk is told to begin with them


class Buffer:
    """A piece of memory to receive into, or a share in one.

    :ivar content: what is in it.
    """

    def __init__(self, give_back: Callable[["Buffer"], None]) -> None:
        self.memory = memoryview(mmap.mmap(-1, SIZE))  # whole pages
        self.content: memoryview | bytes = self.memory[:0]
        self._give_back = give_back
        self._shares = 0

    def share(self, content: bytes) -> "Share":
        """Let something that was made of the content keep the buffer, so that both are counted."""
        self._shares += 1
        return Share(self, content)

    def hold(self) -> "Buffer":
        """Count one more who uses it."""
        self._shares += 1
        return self

    def release(self) -> None:
        """Count one less; after the last, somebody else may receive into it."""
        self._shares -= 1
        if not self._shares:
            self._give_back(self)


class Share:
    """Bytes that were copied out of a buffer, which is not free before they are."""

    def __init__(self, buffer: Buffer, content: bytes) -> None:
        self.content = content
        self._buffer = buffer

    def release(self) -> None:
        """Give the buffer back."""
        self._buffer.release()


Piece = Buffer | Share


class Buffers:
    """The buffers of a process: made when they are needed, and kept."""

    def __init__(self, count: int = _COUNT) -> None:
        self._free: list[Buffer] = []
        self._left = threading.Semaphore(count)

    def take(self, make_room: Callable[[], None]) -> Buffer:
        """Return a buffer that nobody uses; its user releases it.

        :param make_room: gives back the caller's own buffers. It is called before waiting, or
            uploads that wait for each other could wait for ever.
        """
        if not self._left.acquire(blocking=False):
            make_room()
            self._left.acquire()
        buffer = self._free.pop() if self._free else Buffer(self._put_back)
        return buffer.hold()

    def _put_back(self, buffer: Buffer) -> None:
        self._free.append(buffer)
        self._left.release()


buffers = Buffers()


class Sink:
    """A file that pieces are appended to, by one thread at a time.

    Full buffers go past the system's cache where they can: it costs half of what receiving a file
    costs, and nobody needs a large file in memory. What is shorter goes through it. A disk may
    keep a later piece that went past the cache and lose, with the power, an earlier one that was
    still in it; so those are synced before.

    :param direct: whether pieces may go past the cache; not if the file is read at once, or no
        piece is a buffer.
    :ivar end: bytes of the file that are whole pieces.
    :ivar hashes: what every piece goes through.
    :ivar hashes_apart: whether another thread hashes while this one waits for the disk. What goes
        through the cache is hashed by the thread that has just copied it.
    """

    def __init__(
        self, file: BinaryIO, hashes: Iterable["_Hash"] = (), *, direct: bool = True
    ) -> None:
        self.file = file
        self.hashes = list(hashes)
        self.end = MediaStorage.size(file)
        self.hashes_apart = direct and bool(self.hashes)
        self._direct = direct
        self._begun = self.end
        self._settled = self.end  # nothing before this is only in the cache

    def write(self, pieces: Iterable[Piece]) -> None:
        """Append pieces, and let the disk begin with them early, so that the sync is short.

        :raises StorageFull: the volume is full; a piece may have been written half.
        """
        for piece in pieces:
            content = piece.content
            if not self._append_directly(content):
                MediaStorage.append(self.file, content)
            self.end += len(content)
            if not self.hashes_apart:
                self.digest([piece])
        if self.end - self._begun >= _EAGER:
            MediaStorage.begin_sync(self.file, self._begun, self.end)
            self._begun = self.end

    def digest(self, pieces: Iterable[Piece]) -> None:
        """Take pieces into the hashes; another thread may be writing them."""
        for piece in pieces:
            for hashed in self.hashes:
                hashed.update(piece.content)

    def _append_directly(self, content: memoryview | bytes) -> bool:
        if not self._direct or len(content) != SIZE or self.end % PAGE:
            return False
        if not isinstance(content, memoryview):  # lies anywhere in memory
            return False
        if self._settled != self.end:
            if self.end - self._settled < _EAGER:
                return False
            self._settle()
        self._direct = MediaStorage.append_directly(self.file, content)
        if self._direct:
            self._settled = self._begun = self.end + SIZE
        return self._direct

    def _settle(self) -> None:
        try:
            MediaStorage.sync(self.file)
        except BaseException:
            self.end = self._settled  # nobody knows what became of the rest
            raise
        self._settled = self.end


class Pipeline:
    """The way into one sink. It is used by one request, and releases the pieces it was given."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self._waiting: list[Piece] = []
        self._writing: list[Piece] = []
        self._jobs: list[native_threads.Started[None]] = []

    def put(self, piece: Piece) -> None:
        """Have a piece written, after those before it.

        :raises OSError: an earlier one could not be.
        :raises StorageFull: likewise.
        """
        self._waiting.append(piece)
        if len(self._waiting) >= _AHEAD or all(job.done() for job in self._jobs):
            self._collect()
            self._begin()

    def flush(self) -> None:
        """Wait until everything is written; all buffers are free then.

        :raises OSError: it could not be.
        :raises StorageFull: likewise.
        """
        self._collect()
        if self._waiting:
            self._begin()
            self._collect()

    def close(self) -> None:
        """Wait until nothing is being written, and forget what was to be."""
        try:
            self._collect()
        except Exception:
            return
        finally:
            for piece in self._waiting:
                piece.release()
            self._waiting = []

    def _begin(self) -> None:
        self._writing, self._waiting = self._waiting, []
        pieces = self._writing
        self._jobs = [native_threads.start(lambda: self.sink.write(pieces))]
        if self.sink.hashes_apart:
            self._jobs.append(native_threads.start(lambda: self.sink.digest(pieces)))

    def _collect(self) -> None:
        """Wait for what is being written.

        :raises OSError: it could not be.
        :raises StorageFull: likewise.
        """
        jobs = self._jobs
        try:
            for job in reversed(jobs):  # the hashes, which cannot fail, first
                job.result()
        finally:
            if all(job.done() for job in jobs):
                for piece in self._writing:
                    piece.release()
                self._writing, self._jobs = [], []
