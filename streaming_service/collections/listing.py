"""Collections as pages and scripts show them.

What a viewer may not see is left out, and not counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from common.access import Watcher, includes
from common.access_queries import asked_by, sees_collection, shareable_items, visible_to
from common.collection_access import collection_level, get_collection_for
from common.forecast import ForecastCache
from common.formatting import iso_time
from common.web.urls import poster_url
from db.engine import transaction
from db.models import Collection, CollectionItem, Job, JobKind, JobState, Level, User, Video
from streaming_service.collections.changes import ordered_items
from streaming_service.videos.library import is_shown
from streaming_service.videos.presenters import Card, load_cards_by_id, placeholder

PAGE = 96
"""Videos on one page of a collection."""


@dataclass(frozen=True)
class CollectionCard:
    """A collection in a list.

    :ivar count: of the videos in it that the viewer may see.
    :ivar cover: the id of the video that was chosen for it; None: none, or not for the viewer.
    :ivar poster: the URL of its cover; None: no video has a poster yet.
    """

    collection: Collection
    owner_name: str
    mine: bool
    count: int
    cover: str | None
    poster: str | None

    @property
    def placeholder(self) -> int:
        """The placeholder until there is a poster, 0 to 7; a collection keeps its own."""
        return placeholder(self.collection.id)

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return collection_json(self.collection, self.owner_name, cover=self.cover) | {
            "count": self.count,
            "poster": self.poster,
        }


@dataclass(frozen=True)
class CollectionPage:
    """A collection with its videos, in their order.

    :ivar level: what the viewer may do.
    :ivar cards: up to :data:`PAGE` of its videos.
    :ivar start: how many videos come before these.
    :ivar count: of all videos in it that the viewer may see.
    :ivar cover: as that of :class:`CollectionCard`.
    :ivar not_shared: ids of videos in it that those who see the collection do not see through it,
        because its owner may not share them.
    """

    collection: Collection
    owner_name: str
    level: Level
    mine: bool
    cards: list[Card]
    start: int
    count: int
    cover: str | None
    not_shared: frozenset[str]

    @property
    def may_edit(self) -> bool:
        """Whether the viewer may change it."""
        return includes(self.level, Level.EDIT)

    @property
    def may_share(self) -> bool:
        """Whether the viewer may decide who sees it."""
        return includes(self.level, Level.SHARE)


def collection_json(
    collection: Collection, owner_name: str, *, cover: str | None
) -> dict[str, Any]:
    """Return a collection for scripts; `created_at` is ISO 8601 in UTC."""
    return {
        "id": collection.id,
        "title": collection.title,
        "description": collection.description,
        "owner": owner_name,
        "created_at": iso_time(collection.created_at),
        "cover": cover,
    }


@transaction(writes=False)
def list_collections(
    session: Session, watcher: Watcher, *, only: Sequence[str] | None = None
) -> list[CollectionCard]:
    """Return the collections that somebody may open, the last changed first.

    :param only: ids of those that are wanted; None: all.
    """
    wanted = (
        select(Collection, User.name)
        .join(User, User.id == Collection.owner_id)
        .where(sees_collection(watcher))
        .order_by(Collection.updated_at.desc(), Collection.id)
        .params(asked_by(watcher))
    )
    if only is not None:
        wanted = wanted.where(Collection.id.in_(only))
    found = session.execute(wanted).all()
    ids = [row.Collection.id for row in found]
    counts, posters = _counts(session, watcher, ids), _posters(session, watcher, ids)
    covers = select(Video.id).where(
        Video.id.in_([row.Collection.cover_id for row in found]), visible_to(watcher), is_shown()
    )
    visible_covers = set(session.scalars(covers.params(asked_by(watcher))))
    return [
        CollectionCard(
            collection,
            owner_name,
            watcher.viewer is not None and watcher.viewer.id == collection.owner_id,
            counts.get(collection.id, 0),
            collection.cover_id if collection.cover_id in visible_covers else None,
            _cover(collection, posters.get(collection.id, {})),
        )
        for collection, owner_name in found
    ]


def _counts(session: Session, watcher: Watcher, ids: Sequence[str]) -> Mapping[str, int]:
    counted = (
        select(CollectionItem.collection_id, func.count().label("number"))
        .join(Video, Video.id == CollectionItem.video_id)
        .where(CollectionItem.collection_id.in_(ids), visible_to(watcher), is_shown())
        .group_by(CollectionItem.collection_id)
        .params(asked_by(watcher))
    )
    return {row.collection_id: row.number for row in session.execute(counted)}


def _posters(
    session: Session, watcher: Watcher, ids: Sequence[str]
) -> Mapping[str, dict[str, Row[Any]]]:
    """Return `place` and poster's `version` of those videos in each collection that have one."""
    item = CollectionItem
    version = Video.poster_version.label("version")
    wanted = (
        select(item.collection_id, item.video_id, item.place, version)
        .join(Video, Video.id == CollectionItem.video_id)
        .join(Job, Job.video_id == Video.id)
        .where(
            CollectionItem.collection_id.in_(ids),
            visible_to(watcher),
            is_shown(),
            Job.kind == JobKind.THUMBNAILS,
            Job.state == JobState.DONE,
        )
    )
    places: dict[str, dict[str, Row[Any]]] = {}
    rows: Iterable[Row[Any]] = session.execute(wanted.params(asked_by(watcher)))
    for row in rows:
        places.setdefault(row.collection_id, {})[row.video_id] = row
    return places


def _cover(collection: Collection, places: Mapping[str, Row[Any]]) -> str | None:
    if not places:
        return None
    chosen = collection.cover_id
    if chosen is None or chosen not in places:
        chosen = min(places, key=lambda video_id: places[video_id].place)
    return poster_url(chosen, places[chosen].version)


@transaction(writes=False)
def load_collection(
    session: Session,
    watcher: Watcher,
    collection_id: str,
    forecasts: ForecastCache,
    *,
    start: int = 0,
) -> CollectionPage:
    """Return a collection with those of its videos that somebody may watch, a page at a time.

    :raises LoginRequired, NotFound: as :func:`get_collection_for`.
    """
    collection = get_collection_for(session, watcher, collection_id)
    order = visible_items(session, watcher, collection_id)
    shown = order[start : start + PAGE]
    cards = load_cards_by_id(session, watcher, shown, forecasts)
    passed_on = session.execute(
        shareable_items(watcher.at, CollectionItem.collection_id == collection_id)
    )
    shared = {row.video_id for row in passed_on}
    return CollectionPage(
        collection=collection,
        owner_name=session.get_one(User, collection.owner_id).name,
        level=collection_level(session, watcher, collection) or Level.WATCH,
        mine=watcher.viewer is not None and watcher.viewer.id == collection.owner_id,
        cards=[cards[video_id] for video_id in shown if video_id in cards],
        start=start,
        count=len(order),
        cover=collection.cover_id if collection.cover_id in order else None,
        not_shared=frozenset(video_id for video_id in cards if video_id not in shared),
    )


def visible_items(session: Session, watcher: Watcher, collection_id: str) -> list[str]:
    """Return the ids of those of a collection's videos that somebody may watch, in their order."""
    visible = select(Video.id).where(visible_to(watcher), is_shown())
    wanted = ordered_items(collection_id).where(CollectionItem.video_id.in_(visible))
    return list(session.scalars(wanted.params(asked_by(watcher))))


def editable_collections(
    session: Session, watcher: Watcher, video_id: str
) -> list[tuple[Collection, bool]]:
    """Return the collections that a viewer may add to, each with whether the video is in it."""
    found = session.scalars(
        select(Collection)
        .where(sees_collection(watcher, level=Level.EDIT))
        .order_by(func.lower(Collection.title))
        .params(asked_by(watcher))
    )
    having = set(
        session.scalars(
            select(CollectionItem.collection_id).where(CollectionItem.video_id == video_id)
        )
    )
    return [(collection, collection.id in having) for collection in found]
