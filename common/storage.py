"""The one module that touches the disk, and the seam for object storage.

It takes ids, never names that a client chose, and everything it opens lies under one root:

    incoming/<upload>        bytes of an unfinished upload; closed to the gateway (0700)
    <video>/original.mp4     what was uploaded; `common.media` lists the other files
    <video>/.work-<job>-<fence>/             one attempt at a step, until then (0700)

A rename and a new folder are durable only after their folder is synced, so each is.
"""

import ctypes
import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from common.formats import DEFAULT
from common.ids import is_id
from common.media import ORIGINAL, media_of

_COPY_PIECE = 16 << 20  # bytes
_REMOVALS = 100  # tries to remove a folder in which somebody goes on writing
_ATTEMPT = re.compile(r"\.work-([0-9]{1,19})-([0-9]{1,10})")
_PUBLISHED = re.compile(r"(?:hls/)?[a-z0-9][a-z0-9-]{0,31}\.[a-z0-9]{1,8}")


class StorageError(Exception):
    """The volume cannot be used; the text says why, for the operator."""


class StorageFull(Exception):
    """There is no room for the bytes; those written before stay."""


class BeingWritten(Exception):
    """Somebody else holds the file, in this process or another."""


@dataclass(frozen=True)
class StoredFile:
    """A file to deliver: where it is, its size in bytes, and when it was written."""

    path: Path
    size: int
    modified: float


class MediaStorage:
    """The files of uploads and videos under one root.

    :param root: the volume's folder; made ready by :meth:`prepare`.
    :param formats: of the films that it takes in: see `common.formats`.
    """

    def __init__(self, root: Path, formats: frozenset[str] = DEFAULT) -> None:
        self.root = root.absolute()
        self.formats = formats
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
    def open_for_appending(self, upload_id: str) -> Iterator[BinaryIO]:
        """Open an upload's bytes at their end, for one writer at a time.

        The lock is the file's own (flock), so that the end of a process, however it ends, is the
        end of its lock.

        :raises BeingWritten: somebody else has it open for appending.
        :raises FileNotFoundError: there are no such bytes, or they are in their place already.
        """
        path = self._incoming_path(upload_id)
        with path.open("r+b", buffering=0) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BeingWritten from error
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

    @staticmethod
    def size(file: BinaryIO) -> int:
        """Return how many bytes an open file has."""
        return os.fstat(file.fileno()).st_size

    @staticmethod
    def cut(file: BinaryIO, size: int) -> None:
        """Take an open file back to a size, and go on from there."""
        os.ftruncate(file.fileno(), size)
        file.seek(size)

    @classmethod
    def append_from(cls, source: BinaryIO, file: BinaryIO, *, start: int = 0) -> None:
        """Append what another open file holds from `start` on; the system copies where it can.

        :raises StorageFull: as for :meth:`append`.
        """
        source.seek(start)
        while True:
            try:
                copied = os.copy_file_range(source.fileno(), file.fileno(), _COPY_PIECE)
            except (AttributeError, OSError) as error:
                if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise StorageFull(str(error)) from error
                break  # not on this system or between these files; what was copied stays
            if not copied:
                break
        while piece := source.read(_COPY_PIECE >> 4):
            cls.append(file, piece)

    def incoming_size(self, upload_id: str) -> int | None:
        """Return how many bytes an upload has, or None if it has no file."""
        try:
            return self._incoming_path(upload_id).stat().st_size
        except FileNotFoundError:
            return None

    def durable_size(self, upload_id: str) -> int | None:
        """Return how many bytes of an upload are safe: those that are there, once synced.

        Others may be appending at the same time.
        """
        try:
            with self._incoming_path(upload_id).open("rb") as file:
                size = self.size(file)
                _sync_file(file.fileno())
        except FileNotFoundError:
            return None
        return size

    @staticmethod
    def append(file: BinaryIO, piece: "bytes | memoryview") -> None:
        """Write all of a piece to a file that was opened for it.

        :raises StorageFull: the volume, or the share of it that we may use, is full.
        """
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(str(error)) from error
            raise

    @classmethod
    def append_directly(cls, file: BinaryIO, piece: memoryview) -> bool:
        """Append as :meth:`append` does, past the system's cache, which costs a copy of each byte.

        :param piece: whole pages (4 KiB) of memory that begins with one, as the file's end does.
        :returns: whether that was possible; nothing is written otherwise.
        :raises StorageFull: as for :meth:`append`.
        """
        if not _O_DIRECT:
            return False
        flags = fcntl.fcntl(file, fcntl.F_GETFL)
        try:
            fcntl.fcntl(file, fcntl.F_SETFL, flags | _O_DIRECT)
            try:
                rest = piece[file.write(piece) :]
                if rest:  # the volume is full, and says so now
                    cls.append(file, rest)
            finally:
                fcntl.fcntl(file, fcntl.F_SETFL, flags)
        except OSError as error:
            if error.errno == errno.EINVAL:
                return False
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(str(error)) from error
            raise
        return True

    @staticmethod
    def begin_sync(file: BinaryIO, start: int, end: int) -> None:
        """Let the disk begin with a stretch of an open file; :meth:`sync` waits for less then.

        It promises nothing, and does nothing on a system that cannot.
        """
        if _sync_range is not None:
            _sync_range(file.fileno(), start, end - start, _SYNC_FILE_RANGE_WRITE)

    @staticmethod
    def sync(file: BinaryIO) -> None:
        """Make what was appended durable: an acknowledgement may follow, and not before.

        :raises StorageFull: a volume that allots room late has none.
        """
        try:
            _sync_file(file.fileno())
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(str(error)) from error
            raise

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

    def incoming_modified(self, upload_id: str) -> float | None:
        """Return when an upload's bytes last changed, or None if it has none."""
        try:
            return self._incoming_path(upload_id).stat().st_mtime
        except FileNotFoundError:
            return None

    def drop_incoming(self, upload_id: str) -> None:
        """Remove an unfinished upload's bytes; those that are gone already are fine."""
        self._incoming_path(upload_id).unlink(missing_ok=True)

    def publish(self, upload_id: str) -> None:
        """Move a finished upload's bytes to its video's place, which has the same id.

        Whoever calls again after a crash finds it done: see :meth:`has_original`.

        :raises FileNotFoundError: there are no such bytes, or they are in their place already.
        """
        source = self._incoming_path(upload_id)
        source.chmod(0o644)
        folder = self._video_folder(upload_id)
        folder.mkdir(mode=0o755, exist_ok=True)
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

    def open_media(self, video_id: str, name: str) -> tuple[BinaryIO, StoredFile]:
        """Open a file of a video by its name in addresses, which `common.media` lists.

        :return: also what is true of the one that is open.
        :raises FileNotFoundError: there is none, or no such name.
        """
        media = media_of(name)
        if media is None:
            raise FileNotFoundError(errno.ENOENT, "no such name", name)
        path = self._video_folder(video_id) / media.place
        file = path.open("rb", buffering=0)
        facts = os.fstat(file.fileno())
        return file, StoredFile(path=path, size=facts.st_size, modified=facts.st_mtime)

    @contextmanager
    def open_original(self, video_id: str) -> Iterator[BinaryIO]:
        """Open a video's original for reading."""
        with (self._video_folder(video_id) / ORIGINAL).open("rb") as file:
            yield file

    def drop_video(self, video_id: str) -> None:
        """Remove everything of a video; what is gone already is fine."""
        _remove_folder(self._video_folder(video_id))

    def drop_empty_video(self, video_id: str) -> bool:
        """Remove a video's folder unless there is something in it; tell whether it is gone."""
        try:
            self._video_folder(video_id).rmdir()
        except FileNotFoundError:
            return True
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return False
            raise
        return True

    def list_videos(self) -> Iterator[tuple[str, float]]:
        """Yield the id of each video that has a folder, and when the folder last changed."""
        with os.scandir(self.root) as entries:
            for entry in entries:
                if is_id(entry.name) and entry.is_dir(follow_symlinks=False):
                    yield entry.name, entry.stat(follow_symlinks=False).st_mtime

    def attempt_folder(self, video_id: str, job_id: int, fence: int) -> Path:
        """Make the folder of one attempt at a step, and remove those of earlier attempts.

        :raises FileNotFoundError: the video has been removed.
        """
        folder = self._attempt_path(video_id, job_id, fence)
        folder.mkdir(mode=0o700, exist_ok=True)
        self.drop_attempts(video_id, job_id, below=fence)
        return folder

    def drop_attempts(self, video_id: str, job_id: int, *, below: int) -> None:
        """Remove a job's attempts with fences below one; what is gone already is fine."""
        for _, job, fence in list(self._attempts_of(video_id)):
            if job == job_id and fence < below:
                _remove_folder(self._attempt_path(video_id, job, fence))

    def list_attempts(self) -> Iterator[tuple[str, int, int]]:
        """Yield video, job and fence of each attempt that has a folder."""
        for video_id, _ in list(self.list_videos()):
            yield from self._attempts_of(video_id)

    @staticmethod
    def sync_file(file: Path) -> None:
        """Make a finished file's bytes durable.

        :raises StorageFull: a volume that allots room late has none.
        """
        _sync_path(file)

    def publish_file(self, file: Path, video_id: str, name: str) -> None:
        """Move a finished file of an attempt to its place, unless it is there already.

        :param name: ours, such as `poster.jpg` or `hls/720p.mp4`.
        :raises FileNotFoundError: there is no such file, or the video has been removed.
        """
        place = self._published_path(video_id, name)
        if place.parent.name == "hls":
            place.parent.mkdir(mode=0o755, exist_ok=True)
        try:
            _sync_path(file)
            file.chmod(0o644)
            file.rename(place)
        except FileNotFoundError:
            # The transaction that this belongs to is tried again after a fault.
            if not place.is_file():
                raise
        _sync_folder(place.parent)
        _sync_folder(place.parent.parent)

    def publish_text(self, text: str, video_id: str, name: str) -> None:
        """Put a text of ours in its place, whole or not at all. One caller at a time for a name."""
        place = self._published_path(video_id, name)
        place.parent.mkdir(mode=0o755, exist_ok=True)
        fresh = place.with_name(f".{place.name}.new")
        fresh.write_text(text, encoding="utf-8")
        self.publish_file(fresh, video_id, name)

    def published_text(self, video_id: str, name: str) -> str:
        """Return a text of ours.

        :raises FileNotFoundError: there is none.
        """
        return self._published_path(video_id, name).read_text(encoding="utf-8")

    def hls_folder(self, video_id: str) -> Path:
        """Return the folder of a video's renditions, for reading; there may be none yet."""
        return self._video_folder(video_id) / "hls"

    def has_published(self, video_id: str, name: str) -> bool:
        """Tell whether a published file is in its place."""
        return self._published_path(video_id, name).is_file()

    def _attempts_of(self, video_id: str) -> Iterator[tuple[str, int, int]]:
        try:
            names = [path.name for path in self._video_folder(video_id).iterdir()]
        except FileNotFoundError:
            return
        for name in names:
            if match := _ATTEMPT.fullmatch(name):
                yield video_id, int(match[1]), int(match[2])

    def _attempt_path(self, video_id: str, job_id: int, fence: int) -> Path:
        return self._video_folder(video_id) / f".work-{job_id:d}-{fence:d}"

    def _published_path(self, video_id: str, name: str) -> Path:
        if not _PUBLISHED.fullmatch(name):
            raise ValueError(f"not a name that is published: {name!r}")
        return self._video_folder(video_id) / name

    def _incoming_path(self, upload_id: str) -> Path:
        return self._incoming / _checked(upload_id)

    def _video_folder(self, video_id: str) -> Path:
        return self.root / _checked(video_id)


def _checked(public_id: str) -> str:
    """An id has no dot and no slash, so a path made of one stays inside its folder."""
    if not is_id(public_id):
        raise ValueError(f"not an id: {public_id!r}")
    return public_id


_O_DIRECT: int = getattr(os, "O_DIRECT", 0)  # not on every system
_SYNC_FILE_RANGE_WRITE = 2  # <fcntl.h> of Linux


def _sync_file_range() -> Callable[[int, int, int, int], int] | None:
    """Return Linux's sync_file_range(2), which Python does not offer."""
    call = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if call is not None:
        call.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return call


_sync_range = _sync_file_range()

# Not every system has fdatasync, which leaves out what nobody needs to read the bytes again.
_sync_file = getattr(os, "fdatasync", os.fsync)


def _sync_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(str(error)) from error
        raise
    finally:
        os.close(descriptor)


def _remove_folder(folder: Path) -> None:
    """Remove a folder and all in it, also while others remove it or still write into it."""
    for _ in range(_REMOVALS):
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            if not folder.exists():
                return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            _sync_folder(folder.parent)
            return
    raise OSError(errno.ENOTEMPTY, "somebody goes on writing", str(folder))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
