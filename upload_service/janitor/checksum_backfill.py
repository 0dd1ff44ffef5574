"""Checksums that could not be computed while the bytes arrived: files are read again."""

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from common.live import is_live
from common.storage import VideoStore, objects
from common.storage.errors import StoreRefused, StoreUnavailable
from common.storage.object_reader import open_object
from common.storage.volume import ORIGINAL
from db.engine import Database, change_rows, transaction
from db.models import Video

if TYPE_CHECKING:
    from common.storage.s3 import S3Store

_SLICE = 2.0  # seconds of one pass; the janitor has other work
_PIECE = 4 << 20  # bytes
_NEXT = "-"  # the first character of ids by order: what follows an id in it

log = structlog.get_logger()


@dataclass
class ChecksumBackfill:
    """Computes the checksums of videos that have none, one after the other, and from the start.

    What it has read of a file is kept until the next pass. Several janitors may do the same work.
    """

    database: Database
    videos: VideoStore
    object_store: "S3Store | None" = None
    _video_id: str = ""
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _offset: int = 0

    def work(self) -> int:
        """Read for a moment; return how many checksums were recorded."""
        made = 0
        until = time.monotonic() + _SLICE
        while wanted := _next_without(self.database, first=self._video_id):
            if wanted != self._video_id:
                self._begin(wanted)
            stored = objects.current_objects(self.database, video_id=wanted).get(ORIGINAL)
            try:
                if stored and stored.sha256:
                    size, sha256 = stored.size, stored.sha256
                elif self._read(stored, until):
                    size, sha256 = self._offset, self._hash.hexdigest()
                else:
                    return made
                made += _record(self.database, video_id=wanted, size=size, sha256=sha256)
            except FileNotFoundError:  # the janitor's report tells of it
                pass
            except (StoreUnavailable, StoreRefused) as error:
                log.warning("a file could not be read", video=wanted, detail=str(error))
            self._begin(wanted + _NEXT)
            if time.monotonic() >= until:
                return made
        self._begin("")
        return made

    def _begin(self, video_id: str) -> None:
        self._video_id, self._hash, self._offset = video_id, hashlib.sha256(), 0

    def _read(self, stored: objects.CurrentObject | None, until: float) -> bool:
        """Go on reading the file; return whether its end was reached."""
        with self._open(stored) as file:
            file.seek(self._offset)
            while piece := file.read(_PIECE):
                self._hash.update(piece)
                self._offset += len(piece)
                if time.monotonic() >= until:
                    return False
        return True

    def _open(self, stored: objects.CurrentObject | None) -> BinaryIO:
        if stored is None:
            return self.videos.open_original(self._video_id)
        if self.object_store is None:
            raise StoreUnavailable("S3_BUCKET is not set")
        return open_object(self.object_store, stored.key, size=stored.size, ahead=_PIECE)


@transaction(writes=False)
def _next_without(session: Session, *, first: str) -> str | None:
    """Return the first video without a checksum, in the order of ids, from one on."""
    wanted = select(Video.id).where(Video.sha256.is_(None), is_live())
    return session.scalar(wanted.where(Video.id >= first).order_by(Video.id).limit(1))


@transaction(writes=True)
def _record(session: Session, *, video_id: str, size: int, sha256: str) -> int:
    """Record a video's checksum, which is no change of the video; return how many were recorded."""
    objects.record_sha256(session, video_id=video_id, size=size, sha256=sha256)
    wanted = update(Video).where(Video.id == video_id, Video.size == size, Video.sha256.is_(None))
    return change_rows(session, wanted.values(sha256=sha256, updated_at=Video.updated_at))
