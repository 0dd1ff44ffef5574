"""What a grant or link is for: a video or a collection."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from common.access import Viewer, Watcher
from common.collection_access import get_collection_for, lock_items
from common.stores.read_through import Mark
from common.web.urls import watch_url
from db.engine import transaction
from db.models import Collection, Grant, Level, Link, Video
from streaming_service.videos.library import get_video_to_share


@dataclass(frozen=True)
class SharedObject:
    """A video or a collection, by its id; exactly one of both is set."""

    video_id: str | None = None
    collection_id: str | None = None

    @classmethod
    def of(cls, row: Grant | Link) -> "SharedObject":
        """Return what a grant or link is for."""
        return cls(row.video_id, row.collection_id)

    @property
    def url(self) -> str:
        """The page of the video or collection."""
        if self.video_id is not None:
            return watch_url(self.video_id)
        return f"/collections/{self.collection_id}"

    def has(self, model: type[Grant] | type[Link]) -> ColumnElement[bool]:
        """Return the condition that a grant or link is for this."""
        if self.video_id is not None:
            return model.video_id == self.video_id
        return model.collection_id == self.collection_id


@transaction(writes=False)
def get_object_to_share(session: Session, viewer: Viewer, what: SharedObject) -> Video | Collection:
    """Return a video or collection of which a viewer may decide who watches it.

    :raises NotFound: there is none, or they may not.
    """
    if what.video_id is not None:
        return get_video_to_share(session, viewer, what.video_id)
    return get_collection_for(session, Watcher(viewer), what.collection_id or "", level=Level.SHARE)


def hold_back(session: Session, mark: Mark, *objects: SharedObject) -> None:
    """Hold back the cached entries of all videos that a change of sharing concerns.

    Call it before the change, in its transaction. All are marked together, since each new mark runs
    the transaction once more.
    """
    video_ids: list[str] = []
    for what in objects:
        if what.video_id is not None:
            video_ids.append(what.video_id)
        else:
            video_ids += lock_items(session, what.collection_id or "")
    mark(video_ids)
