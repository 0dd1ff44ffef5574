"""The page "Shared with me": videos and collections that others share with somebody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, aliased

from common.access import Viewer, Watcher
from common.access_queries import asked_by
from common.forecast import ForecastCache
from common.received_grants import received_grants
from db.engine import transaction
from db.models import Group, SharedSeen, User, now
from streaming_service.collections.listing import CollectionCard, list_collections
from streaming_service.videos.presenters import Card, load_cards_by_id

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
    collection: CollectionCard | None
    by: str
    group: str | None
    grant: str
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
    rows = find_shared(session, viewer, limit=PAGE + 1, offset=(page - 1) * PAGE)
    watcher = Watcher(viewer)
    shown = rows[:PAGE]
    cards = load_cards_by_id(session, watcher, shared_videos(shown), forecasts)
    return shared_items(session, viewer, shown, cards), len(rows) > PAGE


def find_shared(
    session: Session, viewer: Viewer, *, limit: int, offset: int = 0
) -> Sequence[Row[Any]]:
    """Return the latest grant of each thing that is shared with a viewer, newest first."""
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
        .offset(offset)
        .limit(limit)
    )
    return session.execute(wanted, asked_by(Watcher(viewer, at=now()))).all()


def shared_videos(rows: Sequence[Row[Any]]) -> list[str]:
    """Return the ids of the videos among the rows of :func:`find_shared`."""
    return [row.video_id for row in rows if row.video_id]


def shared_items(
    session: Session, viewer: Viewer, rows: Sequence[Row[Any]], cards: Mapping[str, Card]
) -> list[SharedItem]:
    """Return what templates show of the rows of :func:`find_shared`.

    :param cards: of those of their videos that the viewer may watch, by id.
    """
    seen = session.get(SharedSeen, viewer.id)
    ids = [row.collection_id for row in rows if row.collection_id]
    found = list_collections(session, Watcher(viewer), only=ids) if ids else []
    collections = {card.collection.id: card for card in found}
    return [
        SharedItem(
            card=cards.get(row.video_id),
            collection=collections.get(row.collection_id),
            by=row.by or "",
            group=row.group,
            grant=row.id,
            expires_at=row.expires_at,
            shared_at=row.shared_at,
            is_new=seen is None or row.shared_at > seen.seen_at,
        )
        for row in rows
        if row.video_id in cards or row.collection_id in collections
    ]


@transaction(writes=True)
def mark_seen(session: Session, viewer: Viewer, at: datetime) -> None:
    """Record that a viewer has looked; what is shared later is new.

    Call it through `streaming_service.videos.changes.upsert`: two requests may add the same row.
    """
    session.merge(SharedSeen(user_id=viewer.id, seen_at=at))
