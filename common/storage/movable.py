"""Files of videos on the disk, as they are moved to an object store and back."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from common.storage.volume import PUBLISHED_NAME, Volume

_FETCH = ".fetch-"  # what the names of files begin with that are being fetched


@dataclass(frozen=True)
class DiskFile:
    """A file of a video as it is on the disk. One that has replaced it is not equal to it.

    :ivar name: below the video's folder, such as `original.mp4` or `hls/720p.mp4`.
    :ivar size: in bytes.
    :ivar modified_ns: when it was written, in Unix nanoseconds.
    """

    video_id: str
    name: str
    path: Path
    size: int
    modified_ns: int
    inode: int


class MovableFiles(Volume):
    """The files that have a name of ours; hidden ones belong to somebody who is at work."""

    def list_files(self, video_id: str) -> list[DiskFile]:
        """Return the files of a video, those in `hls/` included; none if it has no folder."""
        folder = self._video_folder(video_id)
        found = [*_files_in(folder), *_files_in(folder / "hls", "hls/")]
        return [file for name in found if (file := self.find_file(video_id, name)) is not None]

    def find_file(self, video_id: str, name: str) -> DiskFile | None:
        """Return a file as it is now, or None if there is none."""
        path = self._published_path(video_id, name)
        try:
            status = path.stat(follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return DiskFile(
            video_id, name, path, status.st_size, status.st_mtime_ns, inode=status.st_ino
        )

    def drop_file(self, video_id: str, name: str) -> None:
        """Remove a file, and `hls/` if nothing else is in it; what is gone already is fine."""
        place = self._published_path(video_id, name)
        place.unlink(missing_ok=True)
        if place.parent.name == "hls":
            with suppress(OSError):  # there is more in it, or it is gone
                place.parent.rmdir()

    def new_fetch(self, video_id: str) -> Path:
        """Return where a file that is fetched can be written: a hidden name that is not taken."""
        folder = self._video_folder(video_id)
        folder.mkdir(mode=0o755, exist_ok=True)
        return folder / f"{_FETCH}{secrets.token_hex(8)}"

    def drop_old_fetches(self, *, age: float) -> None:
        """Remove what killed fetches have left: files that were not written to for some seconds."""
        for path in self.root.glob(f"*/{_FETCH}*"):
            with suppress(FileNotFoundError):  # it has just been placed
                if path.stat().st_mtime < time.time() - age:
                    path.unlink()


def _files_in(folder: Path, prefix: str = "") -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = prefix + entry.name
                if PUBLISHED_NAME.fullmatch(name) and entry.is_file(follow_symlinks=False):
                    yield name
    except FileNotFoundError:
        return
