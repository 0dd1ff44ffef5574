"""Compare the volume with the database, and report what is in one and not in the other.

No video is removed here: if an older database was restored, the files that it does not know are
worth more than the space they take. The administrator decides.
"""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.live import is_live
from common.storage import VideoStore, objects
from common.storage.volume import ORIGINAL
from db.engine import Database, transaction
from db.models import Upload, Video
from upload_service.mover.survey import live_batches

_BATCH = 500


@dataclass(frozen=True)
class AuditReport:
    """Ids of folders without a row, and of videos without an original."""

    unknown_folders: list[str]
    missing_originals: list[str]


def audit(
    database: Database,
    videos: VideoStore,
    *,
    cleanup_after: int,
    stopping: Callable[[], bool] = lambda: False,
) -> AuditReport:
    """Look at every folder and every row, a few hundred at a time.

    Empty folders, which a crash in the middle of publishing leaves, are removed on the way.

    :param cleanup_after: seconds for which a folder that has just changed is left alone.
    :param stopping: asked before each batch; then the report is of what was found so far.
    """
    unknown = []
    folders = iter(videos.list_videos())
    while not stopping() and (batch := dict(islice(folders, _BATCH))):
        known = _known(database, ids=batch)
        for video_id, modified in batch.items():
            settled = time.time() - modified > cleanup_after
            if video_id not in known and settled and not videos.drop_empty_video(video_id):
                unknown.append(video_id)
    missing: list[str] = []
    for ids in live_batches(database):
        if stopping():
            break
        absent = [video_id for video_id in ids if not videos.has_original(video_id)]
        # Looked up now: one may have been moved or deleted while this was reading.
        missing += _without_original(database, ids=absent)
    return AuditReport(unknown_folders=unknown, missing_originals=missing)


@transaction(writes=False)
def _known(session: Session, *, ids: Iterable[str]) -> set[str]:
    """Return which of these ids have a row. An upload's turns into a video's, so it comes first."""
    uploads = session.scalars(select(Upload.id).where(Upload.id.in_(ids)))
    return {*uploads, *session.scalars(select(Video.id).where(Video.id.in_(ids)))}


@transaction(writes=False)
def _without_original(session: Session, *, ids: Collection[str]) -> list[str]:
    """Return which of these videos are live, and have no original in the object store."""
    live = set(session.scalars(select(Video.id).where(Video.id.in_(ids), is_live())))
    stored = objects.current_by_video(session, video_ids=ids)
    return [one for one in ids if one in live and ORIGINAL not in stored.get(one, {})]
