"""The playlists that a player on a slow line reads first."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.web.urls import watch_url
from db.models import Rendition, RenditionKind


def first_playlists(session: Session, video_id: str) -> list[str]:
    """Return the URLs of the playlists of the smallest video rendition and of its audio."""
    found = session.execute(
        select(Rendition.kind, Rendition.name)
        .where(Rendition.video_id == video_id)
        .order_by(Rendition.bandwidth, Rendition.name)
    ).all()
    first: dict[RenditionKind, str] = {}
    for kind, name in found:
        first.setdefault(kind, f"{watch_url(video_id)}/hls/{name}.m3u8")
    return list(first.values())
