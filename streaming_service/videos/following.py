"""What is offered beside a video: the rest of its collection, or more of its owner's videos."""

from dataclasses import dataclass

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from common.access import Watcher
from common.access_queries import asked_by, visible_to
from common.collection_access import get_collection_for
from common.errors import LoginRequired, NotFound
from common.forecast import ForecastCache
from common.live import is_shown
from common.web.urls import watch_url
from db.models import Collection, Video, Visibility
from streaming_service.collections.listing import visible_items
from streaming_service.videos.library import select_with_owner
from streaming_service.videos.presenters import Card, load_cards, load_cards_by_id

_NEXT_SHOWN = 10  # videos of the collection
_MORE_SHOWN = 12  # videos of the same owner


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
        return f"{watch_url(card.video.id)}{within}"


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
    try:
        collection = get_collection_for(session, watcher, collection_id)
    except (NotFound, LoginRequired):
        collection = None
    order = visible_items(session, watcher, collection_id) if collection else []
    if video.id in order:
        place = order.index(video.id) + 1
        following = order[place : place + _NEXT_SHOWN]
        cards = load_cards_by_id(session, watcher, following, forecasts)
        return Following(collection, [cards[i] for i in following if i in cards])
    if watcher.viewer is None and video.visibility is not Visibility.PUBLIC:
        return None  # came by a share link of this video alone
    videos = _more_of_owner(session, watcher, video)
    return Following(None, load_cards(session, watcher, videos, forecasts)) if videos else None


def _more_of_owner(session: Session, watcher: Watcher, video: Video) -> list[Video]:
    """Return other videos of the same owner: those before it, the latest first, then those after.

    So whoever plays one after the other comes to all of them.
    """
    later = case((Video.created_at > video.created_at, 1), else_=0)
    wanted = select_with_owner().where(
        Video.owner_id == video.owner_id,
        Video.id != video.id,
        is_shown(),
        Video.id.in_(select(Video.id).where(visible_to(watcher))),
    )
    order = (later, Video.created_at.desc(), Video.id.desc())
    return list(session.scalars(wanted.order_by(*order).limit(_MORE_SHOWN), asked_by(watcher)))
