"""The volume: where it is, whether it can be used, and the paths of what lies on it."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from common.ids import is_id
from common.storage.durability import sync_path
from common.storage.errors import StorageError

ORIGINAL = "original.mp4"

PUBLISHED_NAME = re.compile(r"(?:hls/)?[a-z0-9][a-z0-9-]{0,31}\.[a-z0-9]{1,8}")
"""The names of files below a video's folder; what is hidden belongs to somebody who is at work."""

RESERVED_SPACE = 64 << 20
"""Bytes of the volume that uploads and processing leave free: the database may share it."""


class Volume:
    """The folder that holds everything, and the paths in it.

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

    def total_bytes(self) -> int:
        """Return how large the volume is, whatever is on it."""
        return shutil.disk_usage(self.root).total

    def original(self, video_id: str) -> Path:
        """Return where a video's original is, if it is here."""
        return self._video_folder(video_id) / ORIGINAL

    def list_videos(self) -> Iterator[tuple[str, float]]:
        """Yield the id of each video that has a folder, and when the folder last changed."""
        with os.scandir(self.root) as entries:
            for entry in entries:
                if is_id(entry.name) and entry.is_dir(follow_symlinks=False):
                    yield entry.name, entry.stat(follow_symlinks=False).st_mtime

    def move_into_place(self, file: Path, video_id: str, name: str) -> None:
        """Move a durable file of the volume to its place, durably, unless it is there already.

        :param name: below the video's folder, such as `hls/720p.mp4`.

        :raises FileNotFoundError: neither is there, or the video has been removed.
        """
        place = self._published_path(video_id, name)
        if place.parent.name == "hls":
            place.parent.mkdir(mode=0o755, exist_ok=True)
        try:
            file.chmod(0o644)
            file.rename(place)
        except FileNotFoundError:
            # The transaction that this belongs to is tried again after a fault.
            if not place.is_file():
                raise
        for folder in dict.fromkeys((place.parent, self._video_folder(video_id), self.root)):
            sync_path(folder)

    def _published_path(self, video_id: str, name: str) -> Path:
        if not PUBLISHED_NAME.fullmatch(name):
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
