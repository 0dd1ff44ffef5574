"""The rows on top of the library: what the viewer began, what is shared with them, what is new."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, exists, select
from sqlalchemy.orm import Session

from common.access import Viewer, Watcher
from common.access_queries import asked_by, visible_to
from db.models import Position, Video, Visibility, now
from streaming_service.sharing.shared_with_me import (
    SharedItem,
    find_shared,
    shared_items,
    shared_videos,
)
from streaming_service.videos.positions import CONTINUE_LIMIT, begun_videos
from streaming_service.videos.presenters import Card

ROW_LIMIT = 8
"""Things in one row, at most."""
_NEW = timedelta(days=30)


@dataclass(frozen=True)
class Rows:
    """What the rows show; what is in one is in none of those after it."""

    begun: list[Card] = field(default_factory=list)
    shared: list[SharedItem] = field(default_factory=list)
    new: list[Card] = field(default_factory=list)


@dataclass(frozen=True)
class RowIds:
    """What the rows may show, before it is known what the viewer may watch."""

    begun: Sequence[str] = ()
    shared: Sequence[Row[Any]] = ()
    new: Sequence[str] = ()

    @property
    def videos(self) -> list[str]:
        """The ids of all videos in them."""
        return [*self.begun, *shared_videos(self.shared), *self.new]


def find_rows(session: Session, viewer: Viewer) -> RowIds:
    """Return the ids of what the rows may show to a viewer."""
    return RowIds(
        begun_videos(session, viewer),
        find_shared(session, viewer, limit=ROW_LIMIT),
        _new_videos(session, viewer),
    )


def fill_rows(session: Session, viewer: Viewer, ids: RowIds, cards: dict[str, Card]) -> Rows:
    """Return the rows.

    :param cards: of those of the videos that the viewer may watch, by id.
    """
    found = {
        video_id: card
        for video_id, card in cards.items()
        if card.video.binned_at is None and card.video.rejection_reason is None
    }
    begun = [found[i] for i in ids.begun if i in found][:CONTINUE_LIMIT]
    shown = {card.video.id for card in begun}
    shared = [row for row in ids.shared if row.video_id not in shown]
    items = shared_items(session, viewer, shared, found)
    shown |= set(shared_videos(shared))
    return Rows(begun, items, [found[i] for i in ids.new if i in found and i not in shown])


def _new_videos(session: Session, viewer: Viewer) -> list[str]:
    """Return the ids of what others have put into the library lately, and the viewer not opened."""
    opened = exists().where(Position.user_id == viewer.id, Position.video_id == Video.id)
    wanted = (
        select(Video.id)
        .where(
            Video.visibility.in_((Visibility.MEMBERS, Visibility.PUBLIC)),
            visible_to(Watcher(viewer)),
            Video.owner_id != viewer.id,
            Video.created_at > now() - _NEW,
            ~opened,
        )
        .order_by(Video.created_at.desc(), Video.id.desc())
        .limit(ROW_LIMIT)
        .params(asked_by(Watcher(viewer)))
    )
    return list(session.scalars(wanted))
