"""What a request may learn of one video: nothing, unless its sender may watch it."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from common.errors import NotFound
from common.web.auth import current_viewer, require_viewer
from common.web.services import stores
from db.models import Video
from streaming_service.library import get_video_for

T = TypeVar("T")


def visit(video_id: str, work: Callable[[Session, Video], T]) -> T:
    """Run work that only reads, on a video that the caller may watch, and return what it returns.

    :raises SignInRequired: nobody is signed in, whether or not there is such a video.
    :raises NotFound: there is none, or it is not for this viewer.
    """
    viewer = current_viewer()
    try:
        return stores().database.read(
            lambda session: work(session, get_video_for(session, viewer, video_id))
        )
    except NotFound:
        require_viewer()
        raise
