"""Videos as templates and the JSON API show them."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from common.access import Rights, Watcher
from common.forecast import ForecastCache
from common.formatting import iso_time
from common.translation import gettext, gettext_noop
from common.web.urls import watch_url
from db.engine import transaction
from db.models import Video, Visibility
from streaming_service.processing.view import ProcessingView, load_processing
from streaming_service.videos.captions import CaptionTrack, caption_tracks
from streaming_service.videos.library import rights_for, select_with_owner
from streaming_service.videos.positions import Watched, load_watched
from streaming_service.videos.tags import tags_of

_PLACEHOLDERS = 8  # that the style sheet draws

_VISIBILITY_WORDS = {
    Visibility.PRIVATE: gettext_noop("Only people you choose"),
    Visibility.MEMBERS: gettext_noop("Everyone with an account"),
    Visibility.PUBLIC: gettext_noop("Anyone"),
}


@dataclass(frozen=True)
class Card:
    """A video, loaded with its owner, and what the templates show besides its columns.

    :ivar rights: what the viewer may do with it.
    :ivar tags: in their order.
    :ivar seen: how far the viewer has watched it.
    """

    video: Video
    rights: Rights
    processing: ProcessingView
    seen: Watched
    tags: Sequence[str] = ()

    @property
    def position_ms(self) -> int | None:
        """Where the viewer stopped; None: at the start or the end, or signed out."""
        return self.seen.position_ms or None

    @property
    def mine(self) -> bool:
        """Whether the viewer owns it."""
        return self.rights.owns

    @property
    def may_download(self) -> bool:
        """Whether the viewer may download the original; nobody may that of a rejected video."""
        return self.rights.download and self.video.rejection_reason is None

    @property
    def may_play_original(self) -> bool:
        """Whether the viewer may play the original; otherwise there are only its renditions."""
        return self.rights.play_original and self.video.rejection_reason is None

    @property
    def is_watchable(self) -> bool:
        """Whether there is something that the viewer can play."""
        return self.processing.is_watchable

    @property
    def owner_name(self) -> str:
        """The name of its owner."""
        return self.video.owner.name if self.video.owner is not None else ""

    @property
    def visibility_words(self) -> str:
        """Who may watch it, in words."""
        if self.video.visibility is Visibility.PRIVATE and not self.rights.share:
            return gettext("Shared with you")
        return gettext(_VISIBILITY_WORDS[self.video.visibility])

    @property
    def placeholder(self) -> int:
        """The placeholder until there is a poster, 0 to 7; a video keeps its own."""
        return placeholder(self.video.id)

    @property
    def watched(self) -> int:
        """How much of it was watched, in per cent: 0 if it was not begun, otherwise 1 to 100."""
        if self.position_ms is None:
            return 100 if self.seen.is_finished else 0
        if not self.video.duration_ms:
            return 0
        return min(100, max(1, 100 * self.position_ms // self.video.duration_ms))


def placeholder(thing_id: str) -> int:
    """Return which placeholder stands for a thing without a poster, 0 to 7."""
    return zlib.crc32(thing_id.encode()) % _PLACEHOLDERS


@transaction(writes=False)
def load_cards(
    session: Session,
    watcher: Watcher,
    videos: Sequence[Video],
    forecasts: ForecastCache,
    *,
    rights: Mapping[str, Rights] | None = None,
) -> list[Card]:
    """Return what templates show somebody of videos that were loaded with their owners.

    :param rights: what they may do with each, if that is known already.
    """
    if rights is None:
        rights = rights_for(session, watcher, [video.id for video in videos])
    tags = tags_of(session, videos)
    processing = load_processing(session, videos, forecasts, rights)
    seen = load_watched(session, watcher.viewer, videos)
    return [
        Card(
            video=video,
            rights=rights[video.id],
            processing=processing[video.id],
            seen=seen.get(video.id, Watched()),
            tags=tags[video.id],
        )
        for video in videos
    ]


def load_cards_by_id(
    session: Session,
    watcher: Watcher,
    ids: Iterable[str],
    forecasts: ForecastCache,
    *,
    loaded: Sequence[Video] = (),
) -> dict[str, Card]:
    """Return the cards of those of these videos that somebody may watch, by id.

    Rights are read once, however many lists the videos are in.

    :param loaded: those of them that were loaded already, with their owners.
    """
    wanted = list(dict.fromkeys(ids))
    rights = rights_for(session, watcher, wanted)
    present = {video.id: video for video in loaded if rights[video.id].watch}
    missing = [i for i in wanted if rights[i].watch and i not in present]
    if missing:
        found = session.scalars(select_with_owner().where(Video.id.in_(missing)))
        present |= {video.id: video for video in found}
    cards = load_cards(session, watcher, list(present.values()), forecasts, rights=rights)
    return {card.video.id: card for card in cards}


def load_json(
    session: Session, watcher: Watcher, videos: Sequence[Video], forecasts: ForecastCache
) -> list[dict[str, Any]]:
    """Return videos for scripts, in their order; see :func:`video_json`."""
    tracks = caption_tracks(session, videos)
    cards = load_cards(session, watcher, videos, forecasts)
    return [video_json(card, tracks[card.video.id]) for card in cards]


_COLUMNS = (
    *("id", "title", "description", "visibility", "downloadable", "size"),
    *("duration_ms", "width", "height", "video_codec", "audio_codec"),
)


def video_json(card: Card, tracks: Sequence[CaptionTrack]) -> dict[str, Any]:
    """Return a video for scripts. The names and types stay as they are; more may join them.

    Sizes are in bytes, durations in milliseconds, pictures in pixels; `created_at` is ISO 8601 in
    UTC; `audio_codec` is null for a silent video; `urls` are relative to the site. Its owner is
    told `sha256`, which is null until it is known, and `binned_at`, which is null unless it is in
    the bin.
    """
    video = card.video
    columns = {name: getattr(video, name) for name in _COLUMNS}
    receipt = {"sha256": video.sha256, "binned_at": iso_time(video.binned_at)} if card.mine else {}
    return {
        **columns,
        "owner": card.owner_name,
        "tags": list(card.tags),
        "created_at": iso_time(video.created_at),
        "position_ms": card.position_ms or 0,
        "processing": card.processing.as_json(with_errors=card.mine),
        "captions": [track.as_json() for track in tracks],
        "urls": _urls(card),
        **receipt,
    }


def _urls(card: Card) -> dict[str, str]:
    """Return the URLs that the viewer may open."""
    page = watch_url(card.video.id)
    urls = {"page": page}
    if card.may_play_original:
        urls["media"] = f"{page}/video.mp4"
    for name in ("master", "poster", "storyboard"):
        if address := getattr(card.processing, name):
            urls[name] = address
    if card.may_download:
        urls["download"] = f"{page}/download"
    return urls
