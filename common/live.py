"""Which videos are live, and which are shown: the conditions for all services."""

from sqlalchemy import ColumnElement, and_

from db.models import Video


def is_live() -> ColumnElement[bool]:
    """Return the condition that a video is neither deleted nor without an owner."""
    return and_(Video.deleted_at.is_(None), Video.owner_id.is_not(None))


def is_shown() -> ColumnElement[bool]:
    """Return the condition that a video is neither in the bin nor rejected."""
    return and_(Video.binned_at.is_(None), Video.rejection_reason.is_(None))


def is_live_video(video: Video) -> bool:
    """Tell whether a loaded row is live: :func:`is_live` in Python."""
    return video.deleted_at is None and video.owner_id is not None
