"""Attempts at processing steps, each in a folder of its own, and the files that they publish."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from common.storage.durability import remove_folder, sync_path
from common.storage.errors import StorageError
from common.storage.volume import ORIGINAL, Volume

_ATTEMPT = re.compile(r"\.work-([0-9]{1,19})-([0-9]{1,10})")
_TRIES = 100  # to make a folder in one that others remove as soon as it is empty


class AttemptStore(Volume):
    """The folders of attempts, and the files that are published from them.

    With files in an object store, it may be a folder of this machine instead of the volume that
    all share. Nothing but attempts is in it then.
    """

    @property
    def is_shared(self) -> bool:
        """Whether this is the volume that uploads are on."""
        return self._incoming.is_dir()

    def check_attempts(self) -> None:
        """Find out whether there can be attempts here, be it the shared volume or not.

        :raises StorageError: the folder is missing or cannot be written.
        """
        self.check(writable=False)
        if not os.access(self.root, os.W_OK):
            raise StorageError(f"{self.root} cannot be written.")

    def attempt_folder(self, video_id: str, job_id: int, fence: int) -> Path:
        """Make the folder of one attempt at a step, and remove those of earlier attempts.

        The video may have no folder here: its files may all be in the object store.
        """
        folder = self._attempt_path(video_id, job_id, fence)
        _make_with_parent(folder)
        self.drop_attempts(video_id, job_id, below=fence)
        return folder

    def drop_attempts(self, video_id: str, job_id: int, *, below: int) -> None:
        """Remove a job's attempts with fences below one; what is gone already is fine."""
        for _, job, fence in list(self._attempts_of(video_id)):
            if job == job_id and fence < below:
                folder = self._attempt_path(video_id, job, fence)
                remove_folder(folder)
                with suppress(OSError):  # there is more in it
                    folder.parent.rmdir()

    def link_original(self, video_id: str, folder: Path) -> Path:
        """Return a path of a video's original in an attempt's folder, or its own.

        Where the first can be, the bytes stay while the original is removed from its place.

        :raises FileNotFoundError: it is not here.
        """
        path = self.original(video_id)
        link = folder / ORIGINAL
        try:
            link.hardlink_to(path)
        except FileNotFoundError:
            raise
        except OSError:  # not on this file system, or not for a file of another user
            return path
        return link

    def list_attempts(self) -> Iterator[tuple[str, int, int]]:
        """Yield video, job and fence of each attempt that has a folder."""
        for video_id, _ in list(self.list_videos()):
            yield from self._attempts_of(video_id)

    def publish_file(self, file: Path, video_id: str, name: str) -> None:
        """Move a finished file of an attempt to its place, unless it is there already.

        :param name: ours, such as `poster.jpg` or `hls/720p.mp4`.
        :raises FileNotFoundError: there is no such file, or the video has been removed.
        """
        with suppress(FileNotFoundError):  # it has been moved
            sync_path(file)
        self.move_into_place(file, video_id, name)

    def publish_text(self, text: str, video_id: str, name: str) -> None:
        """Publish a text file, whole or not at all. One caller at a time for each name."""
        place = self._published_path(video_id, name)
        place.parent.mkdir(mode=0o755, exist_ok=True)
        fresh = place.with_name(f".{place.name}.new")
        fresh.write_text(text, encoding="utf-8")
        self.publish_file(fresh, video_id, name)

    def read_published(self, video_id: str, name: str, *, limit: int | None = None) -> bytes:
        """Return the content of a published file.

        :param limit: bytes of its start that are enough.
        :raises FileNotFoundError: there is none.
        """
        with self._published_path(video_id, name).open("rb") as file:
            return file.read(-1 if limit is None else limit)

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


def _make_with_parent(folder: Path) -> None:
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):  # the parent was empty, and has been removed meanwhile
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return
    raise StorageError(f"{folder} cannot be made.")
