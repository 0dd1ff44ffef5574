"""One file from the disk to the object store, or back: copied, checked, and then switched.

The switch is one transaction that locks the video. Before it the old copy counts, after it the new
one, and both stay for some time.
"""

from collections.abc import Callable
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy import update
from sqlalchemy.orm import Session

from common.live import is_live_video
from common.storage import RESERVED_SPACE, StorageFull, objects
from common.storage.movable import DiskFile, MovableFiles
from common.storage.object_files import Advance, ObjectFiles, WrittenObject
from common.storage.objects import CurrentObject, OpenObject
from common.storage.volume import ORIGINAL
from common.stores import Stores
from db.engine import transaction
from db.models import Video


class WrongOriginal(Exception):
    """The original on the disk has another SHA-256 than was uploaded. It is not moved."""


@dataclass(frozen=True)
class Mover:
    """Moves single files."""

    stores: Stores
    disk: MovableFiles
    files: ObjectFiles

    def to_store(self, file: DiskFile, *, advance: Advance) -> bool:
        """Copy a file to the store, and switch to the copy. The file itself stays.

        :returns: whether it was switched: not if the file was replaced meanwhile, or is in the
            store already, or its video was deleted.
        :raises WrongOriginal: it has other bytes than were uploaded.
        :raises StoreUnavailable: and what else :meth:`ObjectFiles.write` raises.
        """
        video_id = file.video_id
        written = self.files.write(file.path, video_id=video_id, name=file.name, advance=advance)
        try:
            with self.stores.videos.changing([video_id]):
                done = _switch_to_store(
                    self.stores.database, disk=self.disk, file=file, written=written
                )
        except (RedisError, WrongOriginal):
            self.files.remove(OpenObject(written.id, written.key))
            raise
        if not done:
            self.files.remove(OpenObject(written.id, written.key))
        return done

    def to_disk(self, video_id: str, name: str, found: CurrentObject, *, advance: Advance) -> bool:
        """Copy an object to the disk, and switch to the copy. The object stays.

        :returns: whether it was switched: not if there is another object by now, or the video was
            deleted.
        :raises StorageFull: the disk has no space for it.
        :raises StoreUnavailable: and what else :meth:`ObjectFiles.fetch` raises.
        """
        if self.disk.free_bytes() - found.size < RESERVED_SPACE:
            raise StorageFull(f"{self.disk.root} has no space for {found.size} bytes")
        fetched = self.disk.new_fetch(video_id)
        self.files.fetch(found, fetched, advance=advance)
        try:
            with self.stores.videos.changing([video_id]):
                return _switch_to_disk(
                    self.stores.database,
                    video_id=video_id,
                    name=name,
                    found=found,
                    place=lambda: self.disk.move_into_place(fetched, video_id, name),
                )
        finally:
            fetched.unlink(missing_ok=True)


@transaction(writes=True)
def _switch_to_store(
    session: Session, *, disk: MovableFiles, file: DiskFile, written: WrittenObject
) -> bool:
    """Make the copy count, if it is one of what counts now."""
    video = _locked(session, video_id=file.video_id)
    if video is None or disk.find_file(file.video_id, file.name) != file:
        return False
    current = objects.current_objects(session, video_id=file.video_id).get(file.name)
    if current is not None:
        return current.id == written.id  # the transaction was run again
    if file.name == ORIGINAL and video.sha256 is None:
        wanted = update(Video).where(Video.id == video.id, Video.size == written.size)
        # This is no change of the video.
        session.execute(wanted.values(sha256=written.sha256, updated_at=Video.updated_at))
    elif file.name == ORIGINAL and video.sha256 != written.sha256:
        raise WrongOriginal(f"{video.id} was uploaded with the SHA-256 {video.sha256}")
    return objects.make_current(
        session, object_id=written.id, size=written.size, sha256=written.sha256
    )


@transaction(writes=True)
def _switch_to_disk(
    session: Session,
    *,
    video_id: str,
    name: str,
    found: CurrentObject,
    place: Callable[[], None],
) -> bool:
    """Put the copy in its place, and make it count. If only the first is done, both are equal."""
    if _locked(session, video_id=video_id) is None:
        return False
    current = objects.current_objects(session, video_id=video_id).get(name)
    if current is None or current.id != found.id:
        return False
    place()
    objects.retire(session, video_id=video_id, names=[name])
    return True


def _locked(session: Session, *, video_id: str) -> Video | None:
    """Lock a video; None if it is not live."""
    video = session.get(Video, video_id, with_for_update=True)
    return video if video is not None and is_live_video(video) else None
