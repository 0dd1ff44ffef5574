"""What the janitor does in one pass: take further, or remove, what was left half done.

Each rule may be applied by several janitors at once, and beside uploads that are under way.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

import structlog
from redis.exceptions import RedisError
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from common.errors import MatineeError
from common.storage import MediaStorage
from common.stores import Stores
from db.engine import DatabaseUnavailable
from db.models import Upload, Video, now
from upload_service.ending import settle
from upload_service.reservations import NoRoom
from upload_service.uploads import UploadGone, abandon_upload, finish_upload
from upload_service.writers import Locked, sole_writer

_BATCH = 500  # videos removed in one pass
_PUT_OFF = 60  # seconds until something that failed is tried again

log = structlog.get_logger()


@dataclass
class Cleaner:
    """Cleans one volume and its rows.

    :ivar cleanup_after: seconds without a new byte until an upload is given up.
    :ivar stopping: asked between any two things; a pass ends early when it says yes.
    """

    stores: Stores
    storage: MediaStorage
    cleanup_after: int
    stopping: Callable[[], bool] = lambda: False
    _put_off: dict[str, float] = field(default_factory=dict)

    def clean(self) -> Counter[str]:
        """Apply every rule once, and return how often each thing was done.

        Something that fails is logged, and does not keep the rest from being done.

        :raises DatabaseUnavailable: everything must wait.
        :raises RedisError: likewise.
        :raises StorageError: likewise: the volume is not there.
        """
        self.storage.prepare()
        done: Counter[str] = Counter()
        uploads = {upload.id: upload for upload in self.stores.database.read(_all_uploads)}
        self._each(uploads, lambda upload_id: self._clean_upload(uploads[upload_id]), done)
        strays = [name for name, _ in self.storage.list_incoming() if name not in uploads]
        self._each(strays, self._clean_stray, done)
        self._each(self.stores.database.read(_unwanted_videos), self._remove_video, done)
        return done

    def _each(
        self, ids: Iterable[str], rule: Callable[[str], str | None], done: Counter[str]
    ) -> None:
        for public_id in ids:
            if self.stopping():
                return
            if self._put_off.get(public_id, 0) > time.monotonic():
                continue
            try:
                outcome = rule(public_id)
            except (DatabaseUnavailable, RedisError):
                raise
            except Exception as error:
                self._put_off[public_id] = time.monotonic() + _PUT_OFF
                log.exception("cleaning failed", id=public_id, detail=str(error))
                continue
            self._put_off.pop(public_id, None)
            if outcome:
                done[outcome] += 1
                log.info(outcome, id=public_id)

    def _clean_upload(self, upload: Upload) -> str | None:
        """Finish what was published, and give up what nobody sends any more."""
        if upload.expires_at is not None:
            return self._clean_resumable(upload)
        if self.storage.has_original(upload.id):
            try:
                finish_upload(self.stores, self.storage, upload=upload)
            except MatineeError as refused:
                log.warning("upload refused", id=upload.id, sentence=refused.sentence)
                return "upload removed"
            return "upload finished"
        # The row came first, so that its age counts where the bytes have none of their own.
        last_change = self.storage.incoming_modified(upload.id) or upload.created_at.timestamp()
        if not self._is_old(last_change):
            return None
        abandon_upload(self.stores, self.storage, upload_id=upload.id)
        return "upload removed"

    def _clean_resumable(self, upload: Upload) -> str | None:
        """Finish what is complete, and give up what has not been continued in time."""
        try:
            settled = settle(self.stores, self.storage, upload=upload)
        except (Locked, NoRoom):
            settled = None
        except UploadGone:
            abandon_upload(self.stores, self.storage, upload_id=upload.id)
            return "upload removed"
        except MatineeError as refused:
            log.warning("upload refused", id=upload.id, sentence=refused.sentence)
            return "upload removed"
        if settled is not None and settled.video is not None:
            return "upload finished"
        return self._end_resumable(upload) if self._has_ended(upload) else None

    def _end_resumable(self, upload: Upload) -> str | None:
        """Give up an upload unless somebody is writing to it, or has just done so."""
        try:
            with sole_writer(self.stores.redis, self.storage, upload.id, patience=0):
                row = self.stores.database.read(partial(_row, upload_id=upload.id))
                if row is not None and not self._has_ended(row):
                    return None
                abandon_upload(self.stores, self.storage, upload_id=upload.id)
        except Locked:
            return None
        except FileNotFoundError:
            abandon_upload(self.stores, self.storage, upload_id=upload.id)
        return "upload removed"

    def _has_ended(self, upload: Upload) -> bool:
        if upload.expires_at is not None and upload.expires_at <= now():
            return True
        # A crash between the row and its file, after which nobody has learned of the upload.
        has_file = self.storage.incoming_size(upload.id) is not None
        return not has_file and self._is_old(upload.created_at.timestamp())

    def _clean_stray(self, upload_id: str) -> str | None:
        """Remove bytes that no row tells of, unless they have just been announced."""
        modified = self.storage.incoming_modified(upload_id)
        if modified is None or not self._is_old(modified):
            return None
        if self.stores.database.read(partial(_is_known, public_id=upload_id)):
            return None
        self.storage.drop_incoming(upload_id)
        return "stray bytes removed"

    def _remove_video(self, video_id: str) -> str:
        """Remove a video that is nobody's: its bytes, then its row."""
        self.storage.drop_video(video_id)
        self.stores.database.write(partial(_remove_row, video_id=video_id))
        return "video removed"

    def _is_old(self, moment: float) -> bool:
        return time.time() - moment > self.cleanup_after


def _all_uploads(session: Session) -> list[Upload]:
    return list(session.scalars(select(Upload)))


def _row(session: Session, *, upload_id: str) -> Upload | None:
    return session.get(Upload, upload_id)


def _unwanted_videos(session: Session) -> list[str]:
    nobodys = or_(Video.deleted_at.is_not(None), Video.owner_id.is_(None))
    return list(session.scalars(select(Video.id).where(nobodys).limit(_BATCH)))


def _is_known(session: Session, *, public_id: str) -> bool:
    return session.get(Upload, public_id) is not None


def _remove_row(session: Session, *, video_id: str) -> None:
    video = session.get(Video, video_id, with_for_update=True)
    if video is not None:
        session.delete(video)
