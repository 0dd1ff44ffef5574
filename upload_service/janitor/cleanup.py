"""One pass of the janitor: finish or remove what was left unfinished.

Several janitors may apply each rule at once, and beside uploads that are under way.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError
from sqlalchemy import not_, select
from sqlalchemy.orm import Session

from common.audit import Action, Actor, record
from common.errors import MatineeError
from common.live import is_live
from common.settings import SettingsError
from common.storage import IncomingStore, VideoStore, objects
from common.stores import Stores
from db.engine import DatabaseUnavailable, transaction
from db.models import Upload, Video, now
from upload_service.settings import UploadSettings
from upload_service.uploads.complete import recover_upload
from upload_service.uploads.context import UploadContext
from upload_service.uploads.delete import abandon_upload
from upload_service.uploads.finish import finish_upload
from upload_service.uploads.lock import UploadLocked, exclusive_writer
from upload_service.uploads.queries import UploadExpired
from upload_service.uploads.quota import InsufficientStorage

if TYPE_CHECKING:
    from common.storage.s3 import S3Store

_BATCH = 500  # videos removed in one pass
_RETRY_DELAY = 60  # seconds until something that failed is tried again

log = structlog.get_logger()


@dataclass
class Cleaner:
    """Cleans one volume and its rows.

    :ivar stopping: called between two steps; a pass ends early when it returns true.
    """

    stores: Stores
    incoming: IncomingStore
    videos: VideoStore
    settings: UploadSettings
    stopping: Callable[[], bool] = lambda: False
    object_store: "S3Store | None" = None
    _retry_at: dict[str, float] = field(default_factory=dict)

    def clean(self) -> Counter[str]:
        """Apply every rule once, and return how often each thing was done.

        Something that fails is logged, and does not keep the rest from being done.

        :raises DatabaseUnavailable, RedisError, StorageError: everything must wait.
        """
        self.incoming.prepare()
        done: Counter[str] = Counter()
        uploads = {upload.id: upload for upload in _all_uploads(self.stores.database)}
        self._each(uploads, lambda upload_id: self._clean_upload(uploads[upload_id]), done)
        strays = [one for one in self.incoming.sizes() if one not in uploads]
        self._each(strays, self._clean_stray, done)
        self.incoming.drop_unheld_locks()
        expired = _binned_before(self.stores.database, self._bin_deadline())
        self._each(expired, self._delete_binned, done)
        self._each(_unwanted_videos(self.stores.database), self._remove_video, done)
        return done

    def _each(
        self, ids: Iterable[str], rule: Callable[[str], str | None], done: Counter[str]
    ) -> None:
        for public_id in ids:
            if self.stopping():
                return
            if self._retry_at.get(public_id, 0) > time.monotonic():
                continue
            try:
                outcome = rule(public_id)
            except (DatabaseUnavailable, RedisError):
                raise
            except Exception as error:
                self._retry_at[public_id] = time.monotonic() + _RETRY_DELAY
                log.exception("cleaning failed", id=public_id, detail=str(error))
                continue
            self._retry_at.pop(public_id, None)
            if outcome:
                done[outcome] += 1
                log.info(outcome, id=public_id)

    def _clean_upload(self, upload: Upload) -> str | None:
        own = self.stores, self.incoming, self.videos, self.settings
        context = UploadContext(*own, upload.owner_id, self.object_store)
        try:
            status = recover_upload(context, upload)
        except (UploadLocked, InsufficientStorage):
            status = None
        except UploadExpired:
            abandon_upload(context, upload.id)
            return "upload removed"
        except MatineeError as error:
            log.warning("upload rejected", id=upload.id, sentence=error.sentence)
            return "upload removed"
        if status is not None and status.video is not None:
            return "upload finished"
        return self._remove_expired(context, upload) if self._has_expired(upload) else None

    def _remove_expired(self, context: UploadContext, upload: Upload) -> str | None:
        """Remove an upload unless a request is writing to it, or has just done so."""
        try:
            with exclusive_writer(context, upload.id, wait=0):
                row = _upload(self.stores.database, upload_id=upload.id)
                if row is not None and not self._has_expired(row):
                    return None
                if self.videos.has_original(upload.id):
                    # It was published after it was looked at, and its request may be gone.
                    finish_upload(context, upload)
                    return "upload finished"
                abandon_upload(context, upload.id)
        except UploadLocked:
            return None
        return "upload removed"

    def _has_expired(self, upload: Upload) -> bool:
        if upload.expires_at is not None and upload.expires_at <= now():
            return True
        if upload.part_size is not None:
            # In the object store. Whoever receives a form has its lock.
            return upload.expires_at is None and self._is_old(upload.created_at.timestamp())
        modified = self.incoming.incoming_modified(upload.id)
        if modified is None:
            # A crash between the row and its file: no client knows of the upload.
            return self._is_old(upload.created_at.timestamp())
        return upload.expires_at is None and self._is_old(modified)

    def _clean_stray(self, upload_id: str) -> str | None:
        """Remove bytes without a row, unless they are recent."""
        modified = self.incoming.incoming_modified(upload_id)
        if modified is None or not self._is_old(modified):
            return None
        if _upload(self.stores.database, upload_id=upload_id) is not None:
            return None
        self.incoming.drop_incoming(upload_id)
        return "stray bytes removed"

    def _bin_deadline(self) -> datetime:
        return now() - timedelta(days=self.stores.site.current().bin_days)

    def _delete_binned(self, video_id: str) -> str | None:
        """Mark a video as deleted that has been in the bin for `BIN_DAYS`."""
        with self.stores.videos.changing([video_id]):
            deleted = _mark_deleted(
                self.stores.database, video_id=video_id, deadline=self._bin_deadline()
            )
        return "binned video deleted" if deleted else None

    def _remove_video(self, video_id: str) -> str | None:
        """Remove a video that is not live: its bytes, then its row.

        The mover removes its objects first.

        :raises SettingsError: it has objects, and there is no mover.
        """
        if objects.objects_of(self.stores.database, video_id=video_id):
            if self.settings.store.s3 is None:
                raise SettingsError(
                    "Files of this deleted video are in an object store, and S3_BUCKET is not set."
                )
            return None
        self.videos.drop_video(video_id)
        _remove_row(self.stores.database, video_id=video_id)
        return "video removed"

    def _is_old(self, moment: float) -> bool:
        return time.time() - moment > self.settings.cleanup_after


@transaction(writes=False)
def _all_uploads(session: Session) -> list[Upload]:
    return list(session.scalars(select(Upload)))


@transaction(writes=False)
def _upload(session: Session, *, upload_id: str) -> Upload | None:
    return session.get(Upload, upload_id)


@transaction(writes=False)
def _binned_before(session: Session, deadline: datetime) -> list[str]:
    wanted = select(Video.id).where(Video.binned_at <= deadline, is_live()).limit(_BATCH)
    return list(session.scalars(wanted))


@transaction(writes=True)
def _mark_deleted(session: Session, *, video_id: str, deadline: datetime) -> bool:
    """Mark a video as deleted, unless it was restored meanwhile; tell whether."""
    still = select(Video).where(Video.id == video_id, Video.binned_at <= deadline, is_live())
    video = session.scalars(still.with_for_update()).one_or_none()
    if video is None:
        return False
    video.deleted_at = now()
    record(session, Actor(None), Action.VIDEO_DELETED, video_id=video_id, because="bin expired")
    return True


@transaction(writes=False)
def _unwanted_videos(session: Session) -> list[str]:
    return list(session.scalars(select(Video.id).where(not_(is_live())).limit(_BATCH)))


@transaction(writes=True)
def _remove_row(session: Session, *, video_id: str) -> None:
    video = session.get(Video, video_id, with_for_update=True)
    if video is not None:
        session.delete(video)
