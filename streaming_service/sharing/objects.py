"""What a grant or link is for: a video or a collection."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from common.access import Viewer, Watcher
from common.collection_access import get_collection_for, lock_items
from common.stores.read_through import Mark
from db.engine import transaction
from db.models import Collection, Level, Video
from streaming_service.videos.library import get_video_to_share


@dataclass(frozen=True)
class SharedObject:
    """A video or a collection, by its id; exactly one of both is set."""

    video_id: str | None = None
    collection_id: str | None = None


@transaction(writes=False)
def get_object_to_share(session: Session, viewer: Viewer, what: SharedObject) -> Video | Collection:
    """Return a video or collection of which a viewer may decide who watches it.

    :raises NotFound: there is none, or they may not.
    """
    if what.video_id is not None:
        return get_video_to_share(session, viewer, what.video_id)
    return get_collection_for(session, Watcher(viewer), what.collection_id or "", level=Level.SHARE)


def hold_back(session: Session, what: SharedObject, mark: Mark) -> None:
    """Hold back the cached entries of all videos that a change of sharing concerns.

    Call it in the transaction of the change, before the change.
    """
    hold_back_all(session, [what], mark)


def hold_back_all(session: Session, objects: Iterable[SharedObject], mark: Mark) -> None:
    """Do as :func:`hold_back` for a change that concerns several videos and collections.

    They are marked together, since each new mark runs the transaction once more.
    """
    video_ids: list[str] = []
    for what in objects:
        if what.video_id is not None:
            video_ids.append(what.video_id)
        else:
            video_ids += lock_items(session, what.collection_id or "")
    mark(video_ids)
