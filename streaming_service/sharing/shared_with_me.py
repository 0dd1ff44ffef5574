"""The page "Shared with me": videos and collections that others share with somebody."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from common.access import Viewer, Watcher
from common.access_queries import asked_by
from common.received_grants import received_grants
from db.engine import transaction
from db.models import Collection, CollectionItem, Group, Level, SharedSeen, User, now
from streaming_service.processing.forecast import ForecastCache
from streaming_service.videos.library import get_videos_for
from streaming_service.videos.presenters import Card, load_cards

PAGE = 24
"""Things on a page."""


@dataclass(frozen=True)
class SharedItem:
    """A video or a collection that somebody else shares; exactly one of both is set.

    :ivar by: who shared it; empty if that is not known any more.
    :ivar group: the name of the group that it is shared with; None: with the viewer by name.
    :ivar is_new: whether the viewer has not looked since.
    """

    card: Card | None
    collection: Collection | None
    item_count: int
    by: str
    group: str | None
    grant: str
    level: Level
    expires_at: datetime | None
    shared_at: datetime
    is_new: bool


@transaction(writes=False)
def load_shared(
    session: Session, viewer: Viewer, page: int, forecasts: ForecastCache
) -> tuple[list[SharedItem], bool]:
    """Return a page of what is shared with a viewer, newest first, and whether there is another.

    What is shared in several ways is there once, by the latest of them.

    :param page: from 1.
    """
    at = now()
    received = received_grants()
    latest = func.row_number().over(
        partition_by=(received.c.video_id, received.c.collection_id),
        order_by=(received.c.shared_at.desc(), received.c.id),
    )
    numbered = select(received, latest.label("place")).subquery()
    by = aliased(User)
    wanted = (
        select(numbered, by.name.label("by"), Group.name.label("group"))
        .outerjoin(by, by.id == numbered.c.granted_by_id)
        .outerjoin(Group, Group.id == numbered.c.group_id)
        .where(numbered.c.place == 1)
        .order_by(numbered.c.shared_at.desc(), numbered.c.id)
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    )
    watcher = Watcher(viewer, at=at)
    rows = session.execute(wanted, asked_by(watcher)).all()
    shown = rows[:PAGE]
    seen = session.get(SharedSeen, viewer.id)
    videos = get_videos_for(session, watcher, [row.video_id for row in shown if row.video_id])
    cards = {card.video.id: card for card in load_cards(session, watcher, videos, forecasts)}
    collection_ids = [row.collection_id for row in shown if row.collection_id]
    found = session.scalars(select(Collection).where(Collection.id.in_(collection_ids)))
    collections = {collection.id: collection for collection in found}
    counts = _item_counts(session, collection_ids)
    items = [
        SharedItem(
            card=cards.get(row.video_id),
            collection=collections.get(row.collection_id),
            item_count=counts.get(row.collection_id, 0),
            by=row.by or "",
            group=row.group,
            grant=row.id,
            level=row.level,
            expires_at=row.expires_at,
            shared_at=row.shared_at,
            is_new=seen is None or row.shared_at > seen.seen_at,
        )
        for row in shown
        if row.video_id in cards or row.collection_id in collections
    ]
    return items, len(rows) > PAGE


def _item_counts(session: Session, collection_ids: list[str]) -> dict[str, int]:
    wanted = (
        select(CollectionItem.collection_id, func.count())
        .where(CollectionItem.collection_id.in_(collection_ids))
        .group_by(CollectionItem.collection_id)
    )
    return dict(session.execute(wanted).all())


@transaction(writes=True)
def mark_seen(session: Session, viewer: Viewer, at: datetime) -> None:
    """Record that a viewer has looked; what is shared later is new.

    Call it through `streaming_service.videos.changes.upsert`: two requests may add the same row.
    """
    session.merge(SharedSeen(user_id=viewer.id, seen_at=at))
