"""Which videos are live: the one condition for all services, in SQL and in Python."""

from sqlalchemy import ColumnElement, and_

from db.models import Video


def is_live() -> ColumnElement[bool]:
    """Return the condition that a video is neither deleted nor without an owner."""
    return and_(Video.deleted_at.is_(None), Video.owner_id.is_not(None))


def is_live_video(video: Video) -> bool:
    """Tell whether a loaded row is live: :func:`is_live` in Python."""
    return video.deleted_at is None and video.owner_id is not None
