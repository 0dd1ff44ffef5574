"""What is on the disk: files that wait to be moved, and leftovers of those that were."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.live import is_live
from common.storage import objects
from common.storage.movable import DiskFile, MovableFiles
from common.storage.volume import ORIGINAL
from db.engine import Database, transaction
from db.models import Video, now

_BATCH = 500


@dataclass(frozen=True)
class DiskVideo:
    """A live video with files on the disk.

    :ivar waiting: files that are nowhere else, the original first.
    :ivar leftovers: files that are in the store as well, by when they came there.
    """

    id: str
    created_at: datetime
    waiting: list[DiskFile] = field(default_factory=list)
    leftovers: list[tuple[DiskFile, datetime]] = field(default_factory=list)

    def old_leftovers(self, grace: timedelta) -> list[DiskFile]:
        """Return the leftovers that have been in the store for some time."""
        deadline = now() - grace
        return [file for file, since in self.leftovers if since <= deadline]


def videos_on_disk(
    database: Database, disk: MovableFiles, *, video_ids: Collection[str] | None = None
) -> Iterator[DiskVideo]:
    """Yield each live video that has files on the disk, in no order.

    :param video_ids: look at these only.
    """
    listed = (video_id for video_id, _ in disk.list_videos())
    ids = listed if video_ids is None else iter(video_ids)
    while batch := list(islice(ids, _BATCH)):
        created = _live(database, ids=batch)
        stored = objects.current_by_video(database, video_ids=created)
        for video_id, created_at in created.items():
            found = DiskVideo(video_id, created_at)
            current = stored.get(video_id, {})
            for file in disk.list_files(video_id):
                if file.name in current:
                    found.leftovers.append((file, current[file.name].since))
                else:
                    found.waiting.append(file)
            found.waiting.sort(key=lambda file: file.name != ORIGINAL)
            if found.waiting or found.leftovers:
                yield found


@transaction(writes=True)
def drop_leftover(
    session: Session, *, disk: MovableFiles, file: DiskFile, grace: timedelta
) -> bool:
    """Remove a file that has been in the store for some time; tell whether it was removed.

    The lock of the video keeps others from publishing another, or from moving it back, meanwhile.
    """
    if session.get(Video, file.video_id, with_for_update=True) is None:
        return False
    current = objects.current_objects(session, video_id=file.video_id).get(file.name)
    if current is None or current.since > now() - grace:
        return False
    disk.drop_file(file.video_id, file.name)
    return True


@transaction(writes=False)
def _live(session: Session, *, ids: Collection[str]) -> dict[str, datetime]:
    wanted = select(Video.id, Video.created_at).where(Video.id.in_(ids), is_live())
    return dict(session.execute(wanted).all())
