"""The one module that touches the disk, and the seam for object storage.

It takes ids, never names that a client chose, and everything it opens lies under one root:

    incoming/<upload>        bytes of an unfinished upload; closed to the gateway (0700)
    <video>/original.mp4     what was uploaded

A rename and a new folder are durable only after their folder is synced, so each is.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from common.ids import is_id

ORIGINAL = "original.mp4"


class StorageError(Exception):
    """The volume cannot be used; the text says why, for the operator."""


@dataclass(frozen=True)
class StoredFile:
    """A file to deliver: where it is, its size in bytes, and when it was written."""

    path: Path
    size: int
    modified: float


class MediaStorage:
    """The files of uploads and videos under one root.

    :param root: the volume's folder; made ready by :meth:`prepare`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._incoming = self.root / "incoming"

    def prepare(self) -> None:
        """Make the folder for unfinished uploads.

        :raises StorageError: the root is missing, read-only, or belongs to somebody else.
        """
        try:
            self._incoming.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self.root} cannot be written: {error.strerror}") from error
        self.check(writable=True)

    def check(self, *, writable: bool) -> None:
        """Find out whether the volume is there.

        :raises StorageError: it is not, or cannot be used as asked.
        """
        needed = os.R_OK | os.X_OK | (os.W_OK if writable else 0)
        where = self._incoming if writable else self.root
        if not where.is_dir():
            raise StorageError(f"{where} is not there; is the volume mounted?")
        if not os.access(where, needed):
            raise StorageError(f"{where} cannot be {'written' if writable else 'read'}.")

    def free_bytes(self) -> int:
        """Return how many bytes can still be written to the volume."""
        return shutil.disk_usage(self.root).free

    @contextmanager
    def create_incoming(self, upload_id: str) -> Iterator[BinaryIO]:
        """Open a new, empty file for an upload's bytes; the caller writes and syncs them."""
        path = self._incoming_path(upload_id)
        with path.open("xb", buffering=0) as file:
            _sync_folder(self._incoming)
            yield file

    @contextmanager
    def open_incoming(self, upload_id: str) -> Iterator[BinaryIO]:
        """Open an upload's bytes for reading."""
        with self._incoming_path(upload_id).open("rb") as file:
            yield file

    def list_incoming(self) -> Iterator[tuple[str, float]]:
        """Yield the id of each unfinished upload and when its bytes last changed."""
        with os.scandir(self._incoming) as entries:
            for entry in entries:
                if is_id(entry.name):
                    try:
                        yield entry.name, entry.stat().st_mtime
                    except FileNotFoundError:
                        continue

    def drop_incoming(self, upload_id: str) -> None:
        """Remove an unfinished upload's bytes; those that are gone already are fine."""
        self._incoming_path(upload_id).unlink(missing_ok=True)

    def publish(self, upload_id: str) -> None:
        """Move a finished upload's bytes to its video's place, which has the same id.

        Whoever calls again after a crash finds it done: see :meth:`has_original`.
        """
        folder = self._video_folder(upload_id)
        folder.mkdir(mode=0o755, exist_ok=True)
        source = self._incoming_path(upload_id)
        source.chmod(0o644)
        source.rename(folder / ORIGINAL)
        _sync_folder(folder)
        _sync_folder(self._incoming)
        _sync_folder(self.root)

    def has_original(self, video_id: str) -> bool:
        """Tell whether a video's bytes are in their place."""
        return (self._video_folder(video_id) / ORIGINAL).is_file()

    def original(self, video_id: str) -> StoredFile:
        """Return a video's original.

        :raises FileNotFoundError: there is none.
        """
        path = self._video_folder(video_id) / ORIGINAL
        facts = path.stat()
        return StoredFile(path=path, size=facts.st_size, modified=facts.st_mtime)

    def drop_video(self, video_id: str) -> None:
        """Remove everything of a video; what is gone already is fine."""
        try:
            shutil.rmtree(self._video_folder(video_id))
        except FileNotFoundError:
            return
        _sync_folder(self.root)

    def list_videos(self) -> Iterator[tuple[str, float]]:
        """Yield the id of each video that has a folder, and when the folder last changed."""
        with os.scandir(self.root) as entries:
            for entry in entries:
                if is_id(entry.name) and entry.is_dir(follow_symlinks=False):
                    yield entry.name, entry.stat(follow_symlinks=False).st_mtime

    def _incoming_path(self, upload_id: str) -> Path:
        return self._incoming / _checked(upload_id)

    def _video_folder(self, video_id: str) -> Path:
        return self.root / _checked(video_id)


def _checked(public_id: str) -> str:
    """An id has no dot and no slash, so a path made of one stays inside its folder."""
    if not is_id(public_id):
        raise ValueError(f"not an id: {public_id!r}")
    return public_id


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
