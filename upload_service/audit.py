"""Compare the volume with the database, and tell what is in one and not in the other.

No video is removed here: if an older database was restored, the files that it does not know of are
worth more than the room they take. The administrator decides.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.storage import MediaStorage
from db.engine import Database
from db.models import Upload, Video

_BATCH = 500


@dataclass(frozen=True)
class Findings:
    """Ids of folders that no row tells of, and of videos whose bytes are not there."""

    unknown_folders: list[str]
    missing_originals: list[str]


def audit(database: Database, storage: MediaStorage, *, cleanup_after: int) -> Findings:
    """Look at every folder and every row, a few hundred at a time.

    Empty folders, which a crash in the middle of publishing leaves, are removed on the way.

    :param cleanup_after: seconds for which a folder that has just changed is left alone.
    """
    unknown = []
    for folders in _batches(storage.list_videos()):
        ids = [video_id for video_id, _ in folders]
        known = database.read(partial(_known, ids=ids))
        for video_id, modified in folders:
            settled = time.time() - modified > cleanup_after
            if video_id not in known and settled and not storage.drop_empty_video(video_id):
                unknown.append(video_id)
    missing = [
        video_id
        for video_id in _all_video_ids(database)
        if not storage.has_original(video_id)
        # Looked up again: it may have been deleted while this was reading.
        and database.read(partial(_is_live, video_id=video_id))
    ]
    return Findings(unknown_folders=unknown, missing_originals=missing)


def _batches(folders: Iterable[tuple[str, float]]) -> Iterator[list[tuple[str, float]]]:
    iterator = iter(folders)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _known(session: Session, *, ids: Sequence[str]) -> set[str]:
    """Return which of these ids have a row. An upload's turns into a video's, so it comes first."""
    uploads = session.scalars(select(Upload.id).where(Upload.id.in_(ids)))
    return {*uploads, *session.scalars(select(Video.id).where(Video.id.in_(ids)))}


def _all_video_ids(database: Database) -> Iterator[str]:
    last = ""
    while ids := database.read(partial(_video_ids_after, last=last)):
        yield from ids
        last = ids[-1]


def _video_ids_after(session: Session, *, last: str) -> list[str]:
    page = select(Video.id).where(Video.id > last).order_by(Video.id).limit(_BATCH)
    return list(session.scalars(page))


def _is_live(session: Session, *, video_id: str) -> bool:
    live = select(Video.id).where(
        Video.id == video_id, Video.deleted_at.is_(None), Video.owner_id.is_not(None)
    )
    return session.scalar(live) is not None
