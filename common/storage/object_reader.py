"""Reading an object of the store like a file, a range at a time."""

import io
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from common.storage.s3 import S3Store


def open_object(store: "S3Store", key: str, *, size: int, ahead: int) -> BinaryIO:
    """Open an object for reading. Each read raises what the store's `get` raises.

    :param size: of the object, in bytes.
    :param ahead: bytes that are asked for at least; of them those that are not read are kept.
    """
    return io.BufferedReader(_Ranges(store, key, size), buffer_size=ahead)


class _Ranges(io.RawIOBase):
    def __init__(self, store: "S3Store", key: str, size: int) -> None:
        self._store, self._key, self._size = store, key, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        end = min(self._position + len(buffer), self._size)
        if self._position >= end:
            return 0
        found = self._store.get(self._key, first=self._position, last=end - 1).body
        buffer[: len(found)] = found
        self._position += len(found)
        return len(found)
