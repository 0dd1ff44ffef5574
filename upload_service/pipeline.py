"""Bytes on their way from a socket to a file: written and hashed while the next ones arrive.

A request receives into buffers of a pool that the whole process shares, and hands them to a native
thread that writes them in their order. So receiving, writing, hashing and the disk's own work go on
at the same time, and memory does not grow with the number of uploads.
"""

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, BinaryIO

from common.storage import MediaStorage
from upload_service import offload

if TYPE_CHECKING:
    from hashlib import _Hash

SIZE = 1 << 20
"""Bytes of a buffer."""

_COUNT = 10  # buffers of a process
_AHEAD = 3  # buffers that one upload may have received while its last ones are being written
_EAGER = 8 << 20  # bytes after which the disk is told to begin with them


class Buffer:
    """A piece of memory to receive into, or a share in one.

    :ivar content: what is in it.
    """

    def __init__(self, give_back: Callable[["Buffer"], None]) -> None:
        self.memory = memoryview(bytearray(SIZE))
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

    :ivar end: bytes of the file that are whole pieces.
    :ivar hashes: what every piece goes through.
    """

    def __init__(self, file: BinaryIO, hashes: Iterable["_Hash"] = ()) -> None:
        self.file = file
        self.hashes = list(hashes)
        self.end = MediaStorage.size(file)
        self._begun = self.end

    def write(self, pieces: Iterable[Piece]) -> None:
        """Append pieces, and let the disk begin with them early, so that the sync is short.

        :raises StorageFull: the volume is full; a piece may have been written half.
        """
        for piece in pieces:
            MediaStorage.append(self.file, piece.content)
            self.end += len(piece.content)
            for hashed in self.hashes:
                hashed.update(piece.content)
        if self.end - self._begun >= _EAGER:
            MediaStorage.begin_sync(self.file, self._begun, self.end)
            self._begun = self.end


class Pipeline:
    """The way into one sink. It is used by one request, and releases the pieces it was given."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self._waiting: list[Piece] = []
        self._writing: list[Piece] = []
        self._job: offload.Started[None] | None = None

    def put(self, piece: Piece) -> None:
        """Have a piece written, after those before it.

        :raises OSError: an earlier one could not be.
        :raises StorageFull: likewise.
        """
        self._waiting.append(piece)
        if self._job is None or self._job.done() or len(self._waiting) >= _AHEAD:
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
        self._job = offload.start(lambda: self.sink.write(pieces))

    def _collect(self) -> None:
        if self._job is None:
            return
        try:
            self._job.result()
        finally:
            if self._job.done():
                for piece in self._writing:
                    piece.release()
                self._writing, self._job = [], None
