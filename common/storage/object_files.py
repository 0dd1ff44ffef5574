"""Files in the object store: written, checked, read back and deleted, each with its row."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common.storage import objects
from common.storage.durability import raising_storage_full, sync_path
from common.storage.errors import ObjectMissing, StoreUnavailable
from common.storage.objects import CurrentObject, OpenObject
from db.engine import Database, DatabaseUnavailable

if TYPE_CHECKING:
    from common.storage.s3 import S3Store, UnfinishedUpload

_PIECE = 16 << 20  # bytes of a part, and of a range that is read
_MAX_PARTS = 10_000  # of Amazon S3
_RENEW_EVERY = 60.0  # seconds

ORIGINAL_TYPE = "video/mp4"
"""The media type of originals in the store."""

_TYPES = {
    ".mp4": ORIGINAL_TYPE,
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt; charset=utf-8",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".json": "application/json",
}

Advance = Callable[[int], None]
"""Is told after each piece how many bytes of the file are done; may raise to stop."""


class WrongBytes(StoreUnavailable):
    """The store has other bytes than those that were written. Another attempt may succeed."""


@dataclass(frozen=True)
class WrittenObject:
    """An object that is all written and checked, and not current yet.

    :ivar size: in bytes.
    :ivar sha256: of its bytes, in hexadecimal.
    """

    id: int
    key: str
    size: int
    sha256: str


def _no_advance(_done: int) -> None:
    """Do nothing, where nobody is told."""


class ObjectFiles:
    """The files of videos in one store.

    Every method raises :class:`StoreUnavailable` if the store does not answer, and
    :class:`StoreRefused` if it refuses.
    """

    def __init__(self, database: Database, store: "S3Store") -> None:
        self.store = store
        self._database = database

    def write(
        self, path: Path, *, video_id: str, name: str, advance: Advance = _no_advance
    ) -> WrittenObject:
        """Write a file of the disk as a new object, and check it.

        Its length, and its first and last bytes, are read back. If this fails the object is
        removed, or found later by its row.

        :raises WrongBytes: the store has something else.
        :raises FileNotFoundError: there is no such file.
        """
        begun = objects.begin(self._database, video_id=video_id, name=name)
        try:
            size, sha256 = self._upload(begun, path, advance)
            self._check(begun.key, path, size)
        except BaseException:
            with suppress(Exception):  # the first error counts; the row leads to what is left
                self.remove(begun)
            raise
        return WrittenObject(begun.id, begun.key, size, sha256)

    def fetch(self, found: CurrentObject, path: Path, *, advance: Advance = _no_advance) -> None:
        """Read an object into a new file of the disk, durably.

        :raises WrongBytes: its SHA-256 is not the recorded one; no file is left then.
        :raises ObjectMissing: the store has lost it.
        :raises StorageFull: the disk has.
        """
        done = 0
        try:
            with raising_storage_full(), path.open("xb") as file:
                for piece in self._pieces(found):
                    done += file.write(piece)
                    advance(done)
            sync_path(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def check(self, found: CurrentObject, *, full: bool) -> None:
        """Find out whether an object is in the store as it was written.

        :param full: read it all and compare its SHA-256; else only its length is asked for.
        :raises WrongBytes: it is not.
        :raises ObjectMissing: the store has lost it.
        """
        if not full:
            check_length(self.store, found.key, found.size)
            return
        for _ in self._pieces(found):
            pass

    def read(self, found: CurrentObject) -> bytes:
        """Return the bytes of a small object.

        :raises WrongBytes: its SHA-256 is not the recorded one.
        """
        content = self.store.get(found.key).body
        _require(found, hashlib.sha256(content))
        return content

    def remove(self, found: OpenObject) -> bool:
        """Delete an object that is not current, with what is left of its parts, then its row.

        :returns: whether it is gone.
        """
        if not objects.give_up(self._database, object_id=found.id):
            return False
        for upload in self.store.list_multiparts(found.key):
            self.abort(upload)
        self.store.delete(found.key)
        objects.forget(self._database, object_id=found.id)
        return True

    def abort(self, upload: "UnfinishedUpload") -> None:
        """Give up an upload in parts, unless it was completed or aborted meanwhile."""
        with suppress(ObjectMissing):
            self.store.abort_multipart(upload.key, upload.id)

    def _upload(self, begun: OpenObject, path: Path, advance: Advance) -> tuple[int, str]:
        digest = hashlib.sha256()
        kind = _TYPES.get(path.suffix if path.suffix in _TYPES else Path(begun.key).suffix)
        renew_at = time.monotonic() + _RENEW_EVERY
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= _PIECE:
                content = file.read()
                self.store.put(begun.key, content, content_type=kind)
                advance(len(content))
                return len(content), hashlib.sha256(content).hexdigest()
            part = max(_PIECE, -(-size // _MAX_PARTS))
            upload_id = self.store.begin_multipart(begun.key, content_type=kind)
            etags: list[str] = []
            done = 0
            while piece := file.read(part):
                digest.update(piece)
                etags.append(self.store.put_part(begun.key, upload_id, len(etags) + 1, piece))
                done += len(piece)
                advance(done)
                if time.monotonic() >= renew_at:
                    with suppress(DatabaseUnavailable):  # it is tried again at the next piece
                        objects.renew(self._database, object_id=begun.id)
                        renew_at = time.monotonic() + _RENEW_EVERY
            self.store.complete_multipart(begun.key, upload_id, enumerate(etags, start=1))
        return done, digest.hexdigest()

    def _pieces(self, found: CurrentObject) -> Iterator[bytes]:
        """Yield an object's bytes.

        :raises WrongBytes: at the end: their SHA-256 is not the recorded one.
        """
        digest = hashlib.sha256()
        for first in range(0, found.size, _PIECE):
            last = min(first + _PIECE, found.size) - 1
            piece = self.store.get(found.key, first=first, last=last).body
            digest.update(piece)
            yield piece
        _require(found, digest)

    def _check(self, key: str, path: Path, size: int) -> None:
        """Read back the length, the first and the last bytes; the parts have checksums of theirs.

        :raises WrongBytes: one of them is wrong.
        """
        check_length(self.store, key, size)
        end = 64 << 10
        with path.open("rb") as file:
            for first in {0, max(0, size - end)}:
                last = min(first + end, size) - 1
                file.seek(first)
                wanted = file.read(last - first + 1)
                if wanted and self.store.get(key, first=first, last=last).body != wanted:
                    raise WrongBytes(f"{key} has other bytes than were written")


def check_length(store: "S3Store", key: str, size: int) -> None:
    """Ask the store whether an object has the length that was written.

    :raises WrongBytes: it has another.
    :raises ObjectMissing: the store has lost it.
    """
    if int(store.head(key).headers.get("content-length", -1)) != size:
        raise WrongBytes(f"{key} has another length than was written")


def _require(found: CurrentObject, digest: "hashlib._Hash") -> None:
    if found.sha256 not in (None, digest.hexdigest()):
        raise WrongBytes(f"{found.key} has other bytes than were written")
