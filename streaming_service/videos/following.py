"""What is offered beside a video: the rest of its collection, or more of its owner's videos."""

from dataclasses import dataclass

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from common.access import Watcher
from common.access_queries import asked_by, visible_to
from common.forecast import ForecastCache
from db.models import Collection, Video, Visibility
from streaming_service.collections.listing import load_next_up
from streaming_service.videos.library import select_with_owner
from streaming_service.videos.presenters import Card, load_cards

MORE_SHOWN = 12
"""Videos of the same owner that are listed."""


@dataclass(frozen=True)
class Following:
    """Videos that follow another.

    :ivar collection: that is being played; None: these are more of its owner's videos.
    :ivar cards: of the videos, the next first.
    """

    collection: Collection | None
    cards: list[Card]

    @property
    def next_url(self) -> str | None:
        """The address of the page that comes next; None after the last video."""
        return self.url(self.cards[0]) if self.cards else None

    def url(self, card: Card) -> str:
        """Return the address of a video's page; in a collection, one that plays on in it."""
        within = f"?in={self.collection.id}" if self.collection else ""
        return f"/stream/{card.video.id}{within}"


def load_following(
    session: Session,
    watcher: Watcher,
    video: Video,
    forecasts: ForecastCache,
    *,
    collection_id: str,
) -> Following | None:
    """Return what is offered beside a video; None if there is nothing.

    :param collection_id: of the collection that is being played; one that the viewer may not open
        is ignored.
    """
    found = load_next_up(session, watcher, collection_id, video.id)
    if found is None and watcher.viewer is None and video.visibility is not Visibility.PUBLIC:
        return None  # came by a share link of this video alone
    videos = found.videos if found else _more_of_owner(session, watcher, video)
    if found is None and not videos:
        return None
    cards = load_cards(session, watcher, videos, forecasts)
    return Following(found.collection if found else None, cards)


def _more_of_owner(session: Session, watcher: Watcher, video: Video) -> list[Video]:
    """Return other videos of the same owner: those before it, the latest first, then those after.

    So whoever plays one after the other comes to all of them.
    """
    later = case((Video.created_at > video.created_at, 1), else_=0)
    wanted = select_with_owner().where(
        Video.owner_id == video.owner_id,
        Video.id != video.id,
        Video.binned_at.is_(None),
        Video.rejection_reason.is_(None),
        Video.id.in_(select(Video.id).where(visible_to(watcher))),
    )
    order = (later, Video.created_at.desc(), Video.id.desc())
    return list(session.scalars(wanted.order_by(*order).limit(MORE_SHOWN), asked_by(watcher)))
