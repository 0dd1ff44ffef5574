"""Receipts that could not be made while the bytes arrived: files read again, a slice at a time."""

import hashlib
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from common.storage import MediaStorage
from common.stores import Stores
from db.models import Video

if TYPE_CHECKING:
    from hashlib import _Hash

_SLICE = 2.0  # seconds of one pass; the janitor has other work
_PIECE = 4 << 20  # bytes
_NEXT = "-"  # the first character of ids by order: what follows an id in it


@dataclass
class Hasher:
    """Goes through the videos that have no receipt, one after the other, and round again.

    What it has read of one is kept until the next pass. Others may do the same: all find the same.
    """

    stores: Stores
    storage: MediaStorage
    _video_id: str = ""
    _hash: "_Hash" = field(default_factory=hashlib.sha256)
    _offset: int = 0

    def work(self) -> int:
        """Read for a moment; return how many receipts were made.

        :raises DatabaseAway: it must wait.
        """
        made = 0
        until = time.monotonic() + _SLICE
        while True:
            wanted = self.stores.database.read(partial(_next_without, first=self._video_id))
            if wanted != self._video_id:
                self._begin(wanted or "")
            if not wanted:
                break
            try:
                if not self._read(until):
                    break
                made += self._record()
            except FileNotFoundError:
                pass  # the janitor's report tells of it
            self._begin(self._video_id + _NEXT)
            if time.monotonic() >= until:
                break
        return made

    def _begin(self, video_id: str) -> None:
        self._video_id, self._hash, self._offset = video_id, hashlib.sha256(), 0

    def _read(self, until: float) -> bool:
        """Go on reading the file; tell whether its end was reached."""
        with self.storage.open_original(self._video_id) as file:
            file.seek(self._offset)
            while piece := file.read(_PIECE):
                self._hash.update(piece)
                self._offset += len(piece)
                if time.monotonic() >= until:
                    return False
        return True

    def _record(self) -> int:
        digest = self._hash.hexdigest()
        work = partial(_record, video_id=self._video_id, size=self._offset, sha256=digest)
        return self.stores.database.write(work)


def _next_without(session: Session, *, first: str) -> str | None:
    """Return the first video without a receipt, by its id, from one on."""
    wanted = select(Video.id).where(
        Video.sha256.is_(None), Video.deleted_at.is_(None), Video.owner_id.is_not(None)
    )
    return session.scalar(wanted.where(Video.id >= first).order_by(Video.id).limit(1))


def _record(session: Session, *, video_id: str, size: int, sha256: str) -> int:
    """Keep a receipt of all of a video's bytes, which is no change of it; return how many were."""
    wanted = update(Video).where(Video.id == video_id, Video.size == size, Video.sha256.is_(None))
    done = session.execute(wanted.values(sha256=sha256, updated_at=Video.updated_at))
    return int(done.rowcount)  # type: ignore[attr-defined]
