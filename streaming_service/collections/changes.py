"""Making, changing and deleting collections, and what is in them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from common.access import Watcher
from common.access_queries import shareable_items
from common.audit import Action, Actor, record, require_signed_in
from common.collection_access import MAX_ITEMS, get_collection_for, lock_items
from common.errors import Conflict, Forbidden, NotFound, Unprocessable
from common.ids import new_id
from common.stores.read_through import Mark
from common.translation import gettext, gettext_noop
from common.video_texts import checked_description, checked_title
from db.engine import transaction
from db.models import Collection, CollectionItem, Level, now
from streaming_service.access_changes import changes_access
from streaming_service.videos.library import get_video_for, rights_for

_MAX_COLLECTIONS = 1000  # of one account


@dataclass(frozen=True)
class CollectionEdit:
    """What to change of a collection; None leaves a field as it is.

    :ivar cover: the id of the video whose poster is the cover; empty: the first one's.
    :ivar items: the ids of its videos in their new order.
    """

    title: str | None = None
    description: str | None = None
    cover: str | None = None
    items: Sequence[str] | None = None


class TooManyItems(Conflict):
    """The collection has as many videos as it may."""

    def __init__(self) -> None:
        super().__init__(
            gettext("A collection has %(max_items)s videos at most.", max_items=MAX_ITEMS)
        )


class NotTheirsToShare(Forbidden):
    """The collection would share a video that the actor may only watch or edit."""

    sentence = gettext_noop("This collection would share the video, which is not yours to share.")


@transaction(writes=True)
def create_collection(
    session: Session, actor: Actor, *, title: str, description: str = ""
) -> Collection:
    """Make an empty collection of the actor's.

    :raises Unprocessable: the title is empty, or a text is too long.
    :raises Conflict: the account has too many.
    """
    viewer = require_signed_in(actor)
    mine = select(func.count()).where(Collection.owner_id == viewer.id)
    if session.scalar(mine.select_from(Collection)) >= _MAX_COLLECTIONS:  # type: ignore[operator]
        raise Conflict(
            gettext(
                "An account has %(max_collections)s collections at most.",
                max_collections=_MAX_COLLECTIONS,
            )
        )
    collection = Collection(
        id=new_id(),
        owner_id=viewer.id,
        title=_checked_title(title),
        description=checked_description(description),
    )
    session.add(collection)
    _record(session, actor, Action.COLLECTION_CREATED, collection)
    return collection


@transaction(writes=True)
def edit_collection(
    session: Session, actor: Actor, collection_id: str, edit: CollectionEdit
) -> Collection:
    """Change a collection's texts, cover or order. None of it changes who may watch what.

    :raises NotFound: it is not theirs to edit.
    :raises Unprocessable: a text is wrong, or cover or order name other videos than it has.
    """
    collection = _get_to_edit(session, actor, collection_id)
    items = lock_items(session, collection_id)
    if edit.title is not None:
        collection.title = _checked_title(edit.title)
    if edit.description is not None:
        collection.description = checked_description(edit.description)
    if edit.cover is not None:
        if edit.cover and edit.cover not in items:
            raise Unprocessable(gettext("The cover is one of the collection's videos."))
        collection.cover_id = edit.cover or None
    if edit.items is not None:
        _reorder(session, collection_id, items, edit.items)
    _record(session, actor, Action.COLLECTION_CHANGED, collection)
    return collection


def _reorder(
    session: Session, collection_id: str, items: Sequence[str], order: Sequence[str]
) -> None:
    """Put items into an order. Those that it leaves out, which the editor may not see, follow."""
    if len(set(order)) != len(order) or not set(order) <= set(items):
        raise Unprocessable(gettext("The order names each of the collection's videos once."))
    rows = session.scalars(
        select(CollectionItem).where(CollectionItem.collection_id == collection_id)
    )
    places = {video_id: place for place, video_id in enumerate(order)}
    left_out = sorted((r for r in rows if r.video_id not in places), key=lambda r: r.place)
    for place, row in enumerate(left_out, start=len(order)):
        row.place = place
    for video_id, place in places.items():
        session.get_one(CollectionItem, (collection_id, video_id)).place = place


@transaction(writes=True)
def move_item(
    session: Session, actor: Actor, collection_id: str, video_id: str, *, steps: int
) -> None:
    """Move an item towards the end, or with negative steps towards the start.

    :raises NotFound: it is not theirs to edit, or has no such item.
    """
    _get_to_edit(session, actor, collection_id)
    lock_items(session, collection_id)
    order = list(session.scalars(ordered_items(collection_id)))
    if video_id not in order:
        raise NotFound
    place = order.index(video_id)
    order.insert(max(0, min(len(order) - 1, place + steps)), order.pop(place))
    _reorder(session, collection_id, order, order)


@changes_access
def delete_collection(session: Session, mark: Mark, actor: Actor, collection_id: str) -> None:
    """Delete a collection, with what it shared. Its videos stay.

    :raises NotFound: the actor does not own it.
    """
    viewer = require_signed_in(actor)
    collection = get_collection_for(session, Watcher(viewer), collection_id)
    if collection.owner_id != viewer.id:
        raise NotFound
    mark(lock_items(session, collection_id))
    session.delete(collection)
    _record(session, actor, Action.COLLECTION_DELETED, collection)


@changes_access
def add_item(session: Session, mark: Mark, actor: Actor, collection_id: str, video_id: str) -> None:
    """Add a video that the actor may watch; one that is there already stays where it is.

    It is shared with those who see the collection if the collection's owner may share it. Then the
    actor, who may be another editor, has to be allowed to share it as well.

    :raises NotFound: the collection is not theirs to edit, or the video not theirs to watch.
    :raises NotTheirsToShare: it would be shared, and the actor may not share it.
    :raises TooManyItems: the collection is full.
    """
    watcher = Watcher(require_signed_in(actor))
    _get_to_edit(session, actor, collection_id)
    get_video_for(session, watcher, video_id)
    # Asked before it is added: from then on the collection itself could be the reason.
    may_share = rights_for(session, watcher, [video_id])[video_id].share
    items = lock_items(session, collection_id)
    if video_id in items:
        return
    if len(items) >= MAX_ITEMS:
        raise TooManyItems
    mark([video_id])
    if _append(session, collection_id, [video_id]) and not may_share:
        raise NotTheirsToShare
    record(session, actor, Action.COLLECTION_ITEM_ADDED, video_id=video_id, object_id=collection_id)


@changes_access
def add_items(
    session: Session, mark: Mark, actor: Actor, collection_id: str, video_ids: Sequence[str]
) -> list[str]:
    """Add several videos at once, each as :func:`add_item` would; return the ids of those added.

    :raises NotFound: the collection is not theirs to edit.
    """
    _get_to_edit(session, actor, collection_id)
    wanted = list(dict.fromkeys(video_ids))
    # Asked before they are added: from then on the collection itself could be the reason.
    rights = rights_for(session, Watcher(require_signed_in(actor)), wanted)
    items = set(lock_items(session, collection_id))
    room = max(0, MAX_ITEMS - len(items))
    added = [i for i in wanted if i not in items and rights[i].watch][:room]
    mark(added)
    refused = {i for i in _append(session, collection_id, added) if not rights[i].share}
    session.execute(
        delete(CollectionItem).where(
            CollectionItem.collection_id == collection_id, CollectionItem.video_id.in_(refused)
        ),
        execution_options={"synchronize_session": False},
    )
    kept = [video_id for video_id in added if video_id not in refused]
    for video_id in kept:
        about = {"video_id": video_id, "object_id": collection_id}
        record(session, actor, Action.COLLECTION_ITEM_ADDED, **about)
    return kept


def _append(session: Session, collection_id: str, video_ids: Sequence[str]) -> set[str]:
    """Add items at the end; return those of them that the collection shares."""
    of_collection = CollectionItem.collection_id == collection_id
    last = session.scalar(select(func.max(CollectionItem.place)).where(of_collection))
    for place, video_id in enumerate(video_ids, start=0 if last is None else last + 1):
        session.add(CollectionItem(collection_id=collection_id, video_id=video_id, place=place))
    session.flush()
    shared = shareable_items(now(), of_collection, CollectionItem.video_id.in_(video_ids))
    return {row.video_id for row in session.execute(shared)}


@changes_access
def remove_item(
    session: Session, mark: Mark, actor: Actor, collection_id: str, video_id: str
) -> None:
    """Remove a video from a collection.

    :raises NotFound: the collection is not theirs to edit, or has no such video.
    """
    collection = _get_to_edit(session, actor, collection_id)
    if video_id not in lock_items(session, collection_id):
        raise NotFound
    mark([video_id])
    if collection.cover_id == video_id:
        collection.cover_id = None
    session.execute(
        delete(CollectionItem).where(
            CollectionItem.collection_id == collection_id, CollectionItem.video_id == video_id
        )
    )
    record(
        session, actor, Action.COLLECTION_ITEM_REMOVED, video_id=video_id, object_id=collection_id
    )


def ordered_items(collection_id: str) -> Select[str]:
    """Return the statement for the ids of a collection's videos, in their order."""
    return (
        select(CollectionItem.video_id)
        .where(CollectionItem.collection_id == collection_id)
        .order_by(CollectionItem.place, CollectionItem.created_at, CollectionItem.video_id)
    )


def _get_to_edit(session: Session, actor: Actor, collection_id: str) -> Collection:
    watcher = Watcher(require_signed_in(actor))
    return get_collection_for(session, watcher, collection_id, level=Level.EDIT)


def _record(session: Session, actor: Actor, action: Action, collection: Collection) -> None:
    record(session, actor, action, object_id=collection.id, title=collection.title)


def _checked_title(text: str) -> str:
    if not text.strip():
        raise Unprocessable(gettext("Give the collection a title."))
    return checked_title(text)
