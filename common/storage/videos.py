"""The folders of videos: from publishing an original to removing everything."""

from contextlib import suppress
from typing import BinaryIO

from common.storage.durability import remove_folder, sync_path
from common.storage.volume import Volume


class VideoStore(Volume):
    """The originals, and all files that are delivered by name."""

    def publish(self, upload_id: str) -> None:
        """Move a finished upload's bytes to its video's folder, which has the same id.

        After a crash, :meth:`has_original` tells whether it was done.

        :raises FileNotFoundError: there are no such bytes, or they have been moved already.
        """
        source = self._incoming_path(upload_id)
        source.chmod(0o644)
        original = self.original(upload_id)
        original.parent.mkdir(mode=0o755, exist_ok=True)
        source.rename(original)
        sync_path(original.parent)
        sync_path(self._incoming)
        sync_path(self.root)

    def has_original(self, video_id: str) -> bool:
        """Tell whether a video has its original."""
        return self.original(video_id).is_file()

    def open_original(self, video_id: str) -> BinaryIO:
        """Open a video's original for reading."""
        return self.original(video_id).open("rb")

    def drop_video(self, video_id: str) -> None:
        """Remove all files of a video, if there are any."""
        remove_folder(self._video_folder(video_id))

    def drop_empty_video(self, video_id: str) -> bool:
        """Remove a video's folder unless there is something in it; tell whether it is gone."""
        folder = self._video_folder(video_id)
        with suppress(OSError):
            folder.rmdir()
        return not folder.exists()
