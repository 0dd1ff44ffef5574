"""Editing and deleting a video. The cached access entry is dropped with each change."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from common.access import Viewer
from common.errors import NotFound
from common.stores import Stores
from db.engine import transaction
from db.models import Video, now
from streaming_service.videos.library import get_video_to_delete, get_video_to_edit
from streaming_service.videos.text import checked_description, checked_title, parse_visibility

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class VideoEdit:
    """What to change of a video; None leaves a field as it is.

    :ivar title: 1 to 200 characters after cleaning.
    :ivar description: up to 5000 characters.
    :ivar downloadable: whether others who may watch may also download the original.
    """

    title: str | None = None
    description: str | None = None
    visibility: str | None = None
    downloadable: bool | None = None


def edit_video(stores: Stores, viewer: Viewer, video_id: str, edit: VideoEdit) -> Video:
    """Change a video. From the next request on the new visibility counts.

    :raises NotFound: it is not theirs to edit.
    :raises Unprocessable: a text is empty or too long, or the visibility is unknown.
    """
    # Checked before the entry is held back, so that a stranger cannot keep a video uncached.
    get_video_to_edit(stores.database, viewer, video_id)
    with stores.videos.changing([video_id]):
        return apply_edit(stores.database, viewer, video_id, edit)


def delete_video(stores: Stores, viewer: Viewer, video_id: str) -> None:
    """Delete a video. From the next request on nobody gets it.

    :raises NotFound: it is not theirs to delete.
    """
    get_video_to_delete(stores.database, viewer, video_id)
    with stores.videos.changing([video_id]):
        mark_deleted(stores.database, viewer, video_id)


@transaction(writes=True)
def apply_edit(session: Session, viewer: Viewer, video_id: str, edit: VideoEdit) -> Video:
    """Change the row of a video. Call it inside `VideoCache.changing`.

    :raises NotFound: it is not theirs to edit.
    :raises Unprocessable: a text is empty or too long, or the visibility is unknown.
    """
    video = get_video_to_edit(session, viewer, video_id)
    if edit.title is not None:
        video.title = checked_title(edit.title)
    if edit.description is not None:
        video.description = checked_description(edit.description)
    if edit.visibility is not None:
        video.visibility = parse_visibility(edit.visibility)
    if edit.downloadable is not None:
        video.downloadable = edit.downloadable
    return video


@transaction(writes=True)
def mark_deleted(session: Session, viewer: Viewer, video_id: str) -> None:
    """Mark a video as deleted; the janitor removes its files, then its row.

    Call it inside `VideoCache.changing`.

    :raises NotFound: it is not theirs to delete.
    """
    get_video_to_delete(session, viewer, video_id).deleted_at = now()


def upsert(rule: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a rule that adds a row, and once more if another request has added it first.

    :raises NotFound: the video or account that the row belongs to has just been deleted.
    """
    try:
        return rule(*args, **kwargs)
    except IntegrityError:
        pass
    try:
        return rule(*args, **kwargs)
    except IntegrityError as error:
        raise NotFound from error
