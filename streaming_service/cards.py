"""A video as pages and scripts show it."""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from common.access import Viewer
from common.locations import watch_url
from db.models import Video, Visibility

_ARTS = 8  # placeholder pictures that the style sheet draws

_VISIBILITY_WORDS = {
    Visibility.PRIVATE: "Only you",
    Visibility.MEMBERS: "Everybody signed in",
    Visibility.PUBLIC: "Everybody",
}


@dataclass(frozen=True)
class Card:
    """What the templates show of a video.

    :param mine: whether the viewer owns it.
    :param sha256: the owner's receipt; None for others, and until it is known.
    :param art: 0 to 7, the placeholder picture; a video keeps its own.
    """

    id: str
    title: str
    description: str
    owner_name: str
    mine: bool
    visibility: str
    visibility_words: str
    size: int
    duration_ms: int
    width: int
    height: int
    video_codec: str
    audio_codec: str | None
    sha256: str | None
    art: int
    created_at: datetime


def card_of(video: Video, viewer: Viewer | None) -> Card:
    """Return what the templates show a viewer of a video that was loaded with its owner."""
    return Card(
        id=video.id,
        title=video.title,
        description=video.description,
        owner_name=_owner_name(video),
        mine=viewer is not None and viewer.id == video.owner_id,
        visibility=video.visibility.value,
        visibility_words=_VISIBILITY_WORDS[video.visibility],
        size=video.size,
        duration_ms=video.duration_ms,
        width=video.width,
        height=video.height,
        video_codec=video.video_codec,
        audio_codec=video.audio_codec,
        sha256=receipt_of(video, viewer).get("sha256"),
        art=zlib.crc32(video.id.encode()) % _ARTS,
        created_at=video.created_at,
    )


def receipt_of(video: Video, viewer: Viewer | None) -> dict[str, str | None]:
    """Return what only the owner is told: the SHA-256 of the file, or null until it is known."""
    if viewer is None or viewer.id != video.owner_id:
        return {}
    return {"sha256": video.sha256}


def json_of(video: Video) -> dict[str, Any]:
    """Return a video for scripts. The names and types stay as they are; more may join them.

    Sizes are in bytes, durations in milliseconds, pictures in pixels; `created_at` is ISO 8601 in
    UTC; `audio_codec` is null for a silent video; `urls` are relative to the site.
    """
    page = watch_url(video.id)
    return {
        "id": video.id,
        "title": video.title,
        "description": video.description,
        "owner": _owner_name(video),
        "visibility": video.visibility.value,
        "size": video.size,
        "duration_ms": video.duration_ms,
        "width": video.width,
        "height": video.height,
        "video_codec": video.video_codec,
        "audio_codec": video.audio_codec,
        "created_at": video.created_at.astimezone(UTC).isoformat(),
        "urls": {"page": page, "media": f"{page}/video.mp4"},
    }


def _owner_name(video: Video) -> str:
    return video.owner.name if video.owner is not None else ""
