"""Attempts at processing steps, each in a folder of its own, and the files that they publish."""

import re
from collections.abc import Iterator
from pathlib import Path

from common.storage.durability import remove_folder, sync_path
from common.storage.volume import PUBLISHED_NAME, Volume

_ATTEMPT = re.compile(r"\.work-([0-9]{1,19})-([0-9]{1,10})")


class AttemptStore(Volume):
    """The folders of attempts, and the files that are published from them."""

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
                remove_folder(self._attempt_path(video_id, job, fence))

    def list_attempts(self) -> Iterator[tuple[str, int, int]]:
        """Yield video, job and fence of each attempt that has a folder."""
        for video_id, _ in list(self.list_videos()):
            yield from self._attempts_of(video_id)

    def publish_file(self, file: Path, video_id: str, name: str) -> None:
        """Move a finished file of an attempt to its place, unless it is there already.

        :param name: ours, such as `poster.jpg` or `hls/720p.mp4`.
        :raises FileNotFoundError: there is no such file, or the video has been removed.
        """
        place = self._published_path(video_id, name)
        if place.parent.name == "hls":
            place.parent.mkdir(mode=0o755, exist_ok=True)
        try:
            sync_path(file)
            file.chmod(0o644)
            file.rename(place)
        except FileNotFoundError:
            # The transaction that this belongs to is tried again after a fault.
            if not place.is_file():
                raise
        sync_path(place.parent)
        sync_path(place.parent.parent)

    def publish_text(self, text: str, video_id: str, name: str) -> None:
        """Publish a text file, whole or not at all. One caller at a time for each name."""
        place = self._published_path(video_id, name)
        place.parent.mkdir(mode=0o755, exist_ok=True)
        fresh = place.with_name(f".{place.name}.new")
        fresh.write_text(text, encoding="utf-8")
        self.publish_file(fresh, video_id, name)

    def published_text(self, video_id: str, name: str) -> str:
        """Return the content of a published text file.

        :raises FileNotFoundError: there is none.
        """
        return self._published_path(video_id, name).read_text(encoding="utf-8")

    def has_published(self, video_id: str, name: str) -> bool:
        """Tell whether a published file is in its place."""
        return self._published_path(video_id, name).is_file()

    def hls_folder(self, video_id: str) -> Path:
        """Return the folder of a video's renditions, for reading; there may be none yet."""
        return self._video_folder(video_id) / "hls"

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
        if not PUBLISHED_NAME.fullmatch(name):
            raise ValueError(f"not a name that is published: {name!r}")
        return self._video_folder(video_id) / name
