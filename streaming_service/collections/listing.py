"""Collections as pages and scripts show them.

What a viewer may not see is left out, and not counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, case, func, select
from sqlalchemy.orm import Session

from common.access import Watcher, includes
from common.access_queries import asked_by, sees_collection, shareable_items, visible_to
from common.collection_access import collection_level, get_collection_for
from common.forecast import ForecastCache
from common.formatting import iso_time
from common.live import is_shown
from common.web.urls import poster_url
from db.engine import transaction
from db.models import Collection, CollectionItem, Job, JobKind, JobState, Level, User, Video
from streaming_service.collections.changes import ordered_items
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
    items = _visible_rows(session, watcher, ids)
    return [
        CollectionCard(
            collection,
            owner_name,
            watcher.viewer is not None and watcher.viewer.id == collection.owner_id,
            len(items[collection.id]),
            collection.cover_id if collection.cover_id in items[collection.id] else None,
            _poster(collection, items[collection.id]),
        )
        for collection, owner_name in found
    ]


def _visible_rows(
    session: Session, watcher: Watcher, ids: Sequence[str]
) -> Mapping[str, dict[str, Row[Any]]]:
    """Return those items of these collections that somebody may watch, by collection and video.

    Each has its `place`, and the `version` of its poster, which is None if it has none yet.
    """
    thumbnails = and_(
        Job.video_id == Video.id, Job.kind == JobKind.THUMBNAILS, Job.state == JobState.DONE
    )
    version = case((Job.id.is_not(None), Video.poster_version)).label("version")
    item = CollectionItem
    wanted = (
        select(item.collection_id, item.video_id, item.place, version)
        .join(Video, Video.id == item.video_id)
        .outerjoin(Job, thumbnails)
        .where(item.collection_id.in_(ids), visible_to(watcher), is_shown())
    )
    found: dict[str, dict[str, Row[Any]]] = {collection_id: {} for collection_id in ids}
    rows: Iterable[Row[Any]] = session.execute(wanted.params(asked_by(watcher)))
    for row in rows:
        found[row.collection_id][row.video_id] = row
    return found


def _poster(collection: Collection, items: Mapping[str, Row[Any]]) -> str | None:
    """Return the URL of the cover's poster, or else of the first one that there is."""
    drawn = [row for row in items.values() if row.version is not None]
    if not drawn:
        return None
    chosen = min(drawn, key=lambda row: (row.video_id != collection.cover_id, row.place))
    return poster_url(chosen.video_id, chosen.version)


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
