"""Videos as templates and the JSON API show them."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from common.access import Viewer, may_download
from common.web.urls import watch_url
from db.models import Video, Visibility
from streaming_service.processing.forecast import ForecastCache
from streaming_service.processing.view import ProcessingView, load_processing
from streaming_service.videos.captions import CaptionTrack, caption_tracks
from streaming_service.videos.library import access_of
from streaming_service.videos.positions import load_positions

_PLACEHOLDERS = 8  # that the style sheet draws

_VISIBILITY_WORDS = {
    Visibility.PRIVATE: "Only you",
    Visibility.MEMBERS: "Everybody signed in",
    Visibility.PUBLIC: "Everybody",
}


@dataclass(frozen=True)
class Card:
    """What the templates show of a video.

    :ivar mine: whether the viewer owns it.
    :ivar duration_ms: None, as are width, height and codecs, if only the check can tell.
    :ivar sha256: of the original, for the owner; None for others, and until it is known.
    :ivar art: 0 to 7, the placeholder until there is a poster; a video keeps its own.
    :ivar position_ms: where the viewer stopped; None: at the start or the end, or signed out.
    """

    id: str
    title: str
    description: str
    owner_name: str
    mine: bool
    visibility: str
    visibility_words: str
    size: int
    duration_ms: int | None
    width: int | None
    height: int | None
    video_codec: str | None
    audio_codec: str | None
    sha256: str | None
    art: int
    created_at: datetime
    downloadable: bool
    rejection_reason: str | None
    processing: ProcessingView
    position_ms: int | None
    may_download: bool

    @property
    def watched(self) -> int:
        """How much of it was watched, in per cent: 0 if it was not begun, otherwise 1 to 100."""
        if self.position_ms is None or not self.duration_ms:
            return 0
        return min(100, max(1, 100 * self.position_ms // self.duration_ms))


def load_cards(
    session: Session, viewer: Viewer | None, videos: Sequence[Video], forecasts: ForecastCache
) -> list[Card]:
    """Return what templates show a viewer of videos that were loaded with their owners."""
    processing = load_processing(session, videos, forecasts)
    positions = load_positions(session, viewer, videos)
    return [_card(v, viewer, processing[v.id], positions.get(v.id)) for v in videos]


def _card(
    video: Video, viewer: Viewer | None, processing: ProcessingView, position_ms: int | None
) -> Card:
    mine = viewer is not None and viewer.id == video.owner_id
    return Card(
        id=video.id,
        title=video.title,
        description=video.description,
        owner_name=_owner_name(video),
        mine=mine,
        visibility=video.visibility.value,
        visibility_words=_VISIBILITY_WORDS[video.visibility],
        size=video.size,
        duration_ms=video.duration_ms,
        width=video.width,
        height=video.height,
        video_codec=video.video_codec,
        audio_codec=video.audio_codec,
        sha256=video.sha256 if mine else None,
        art=zlib.crc32(video.id.encode()) % _PLACEHOLDERS,
        created_at=video.created_at,
        downloadable=video.downloadable,
        rejection_reason=video.rejection_reason,
        processing=processing,
        position_ms=position_ms,
        may_download=video.rejection_reason is None and may_download(viewer, access_of(video)),
    )


def load_json(
    session: Session, viewer: Viewer | None, videos: Sequence[Video], forecasts: ForecastCache
) -> list[dict[str, Any]]:
    """Return videos for scripts, in their order; see :func:`video_json`."""
    tracks = caption_tracks(session, videos)
    cards = load_cards(session, viewer, videos, forecasts)
    return [video_json(card, tracks[card.id]) for card in cards]


def video_json(card: Card, tracks: Sequence[CaptionTrack]) -> dict[str, Any]:
    """Return a video for scripts. The names and types stay as they are; more may join them.

    Sizes are in bytes, durations in milliseconds, pictures in pixels; `created_at` is ISO 8601 in
    UTC; `audio_codec` is null for a silent video; `urls` are relative to the site. Its owner is
    told `sha256`, which is null until it is known.
    """
    receipt = {"sha256": card.sha256} if card.mine else {}
    return {
        "id": card.id,
        "title": card.title,
        "description": card.description,
        "owner": card.owner_name,
        "visibility": card.visibility,
        "downloadable": card.downloadable,
        "size": card.size,
        "duration_ms": card.duration_ms,
        "width": card.width,
        "height": card.height,
        "video_codec": card.video_codec,
        "audio_codec": card.audio_codec,
        "created_at": card.created_at.astimezone(UTC).isoformat(),
        "position_ms": card.position_ms or 0,
        "processing": card.processing.as_json(with_errors=card.mine),
        "captions": [track.as_json() for track in tracks],
        "urls": _urls(card),
    } | receipt


def _urls(card: Card) -> dict[str, str]:
    """Return the URLs that the viewer may open."""
    page = watch_url(card.id)
    urls = {"page": page}
    if card.rejection_reason is None and card.processing.playable:
        urls["media"] = f"{page}/video.mp4"
    for name in ("master", "poster", "storyboard"):
        if address := getattr(card.processing, name):
            urls[name] = address
    if card.may_download:
        urls["download"] = f"{page}/download"
    return urls


def _owner_name(video: Video) -> str:
    return video.owner.name if video.owner is not None else ""
