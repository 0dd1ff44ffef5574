"""Who may do what with a collection. Its owner may do everything; grants and links name others."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.access import Viewer, Watcher, highest
from common.access_queries import asked_by, has_not_expired, names_viewer, sees_collection
from common.errors import LoginRequired, NotFound
from common.ids import is_id
from db.engine import transaction
from db.models import Collection, CollectionItem, Grant, Level, Link

MAX_ITEMS = 2000
"""Videos in one collection: a change of its sharing concerns all of them at once."""


@transaction(writes=False)
def get_collection_for(
    session: Session, watcher: Watcher, collection_id: str, *, level: Level = Level.WATCH
) -> Collection:
    """Return a collection on which somebody has a level.

    At `edit` they may change it and its items, at `share` decide who else sees it.

    :raises LoginRequired: nobody is signed in, and they may not, or there is none.
    :raises NotFound: there is none, or it is not for them.
    """
    if is_id(collection_id):
        wanted = select(Collection).where(
            Collection.id == collection_id, sees_collection(watcher, level=level)
        )
        found = session.scalar(wanted.params(asked_by(watcher)))
        if found is not None:
            return found
    raise LoginRequired if watcher.viewer is None else NotFound


def collection_level(session: Session, watcher: Watcher, collection: Collection) -> Level | None:
    """Return what somebody may do with a collection, and so with its videos; None: nothing."""
    viewer = watcher.viewer
    if viewer is not None and viewer.id == collection.owner_id:
        return Level.SHARE
    levels: list[Level] = []
    if viewer is not None:
        valid = has_not_expired(Grant.expires_at, watcher.at)
        granted = select(Grant.level).where(
            Grant.collection_id == collection.id, names_viewer(), valid
        )
        levels += session.scalars(granted.params(asked_by(watcher)))
    if watcher.links:
        valid = has_not_expired(Link.expires_at, watcher.at)
        opened = select(Link.level).where(
            Link.collection_id == collection.id, Link.id.in_(watcher.links), valid
        )
        levels += session.scalars(opened)
    return highest(levels)


@transaction(writes=False)
def editable_collections(session: Session, viewer: Viewer) -> list[tuple[str, str]]:
    """Return ids and titles of the collections that a viewer may add videos to, by title."""
    watcher = Watcher(viewer)
    wanted = (
        select(Collection.id, Collection.title)
        .where(sees_collection(watcher, level=Level.EDIT))
        .order_by(Collection.title, Collection.id)
        .params(asked_by(watcher))
    )
    return [(row.id, row.title) for row in session.execute(wanted)]


def lock_items(session: Session, collection_id: str) -> list[str]:
    """Return the ids of a collection's videos, which no other transaction changes meanwhile.

    Whoever adds or removes an item, or changes who may see the collection, calls this first. So
    each of them knows all videos whose access changes.
    """
    session.execute(select(Collection.id).where(Collection.id == collection_id).with_for_update())
    items = select(CollectionItem.video_id).where(CollectionItem.collection_id == collection_id)
    return list(session.scalars(items))
