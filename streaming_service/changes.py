"""Changes to a video, made so that no answer about it is given from before."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from common.access import Viewer
from common.errors import NotFound
from common.job_queue import wake_workers
from common.web.services import stores
from db.models import Video
from streaming_service.captions import Track, add_caption, remove_caption
from streaming_service.failures import start_again, start_step_again
from streaming_service.library import (
    edit_video,
    get_video_to_edit,
    get_video_to_remove,
    remove_video,
)

T = TypeVar("T")


def find_to_edit(viewer: Viewer, video_id: str) -> Video:
    """Return a video for its owner to edit.

    :raises NotFound: it is not theirs.
    """
    return stores().database.read(lambda session: get_video_to_edit(session, viewer, video_id))


def edit(viewer: Viewer, video_id: str, fields: dict[str, Any]) -> Video:
    """Change title, description, visibility or download switch, as far as they are given.

    :raises NotFound: it is not theirs to edit.
    :raises Unprocessable: a field is wrong.
    """
    # Asked first, so that a stranger cannot keep a video out of the cache.
    find_to_edit(viewer, video_id)
    with stores().videos.changing([video_id]):
        return stores().database.write(
            lambda session: edit_video(session, viewer, video_id, **fields)
        )


def remove(viewer: Viewer, video_id: str) -> int | None:
    """Delete a video, so that no later request gets it, and return the id of its owner.

    :raises NotFound: it is not theirs to delete.
    """
    database = stores().database
    video = database.read(lambda session: get_video_to_remove(session, viewer, video_id))
    with stores().videos.changing([video_id]):
        database.write(lambda session: remove_video(session, viewer, video_id))
    return video.owner_id


def add_captions(viewer: Viewer, video_id: str, *, language: str, label: str, data: bytes) -> Track:
    """Put captions to a video, in place of those in the same language.

    :raises NotFound: it is not theirs to edit.
    :raises Unprocessable: language, label or file is wrong.
    """
    return write_row(
        lambda session: add_caption(
            session, viewer, video_id, language=language, label=label, data=data
        )
    )


def remove_captions(viewer: Viewer, video_id: str, language: str) -> None:
    """Take captions away.

    :raises NotFound: there are none, or the video is not theirs to edit.
    """
    stores().database.write(lambda session: remove_caption(session, viewer, video_id, language))


def prepare_again(viewer: Viewer, video_id: str) -> None:
    """Have the steps that failed tried again.

    :raises NotFound: the video is not theirs to edit.
    :raises Conflict: it was refused, which trying again would not change.
    """
    count = stores().database.write(lambda session: start_again(session, viewer, video_id))
    wake_workers(stores().redis, count)


def try_step_again(step_id: int) -> bool:
    """Have one step that failed tried again, whoever owns the video; tell whether there is one."""
    count = stores().database.write(lambda session: start_step_again(session, step_id))
    wake_workers(stores().redis, count)
    return count > 0


def write_row(work: Callable[[Session], T]) -> T:
    """Run work that adds a row, and again as a change of it if another request was first.

    :raises NotFound: what the row would belong to has just gone.
    """
    try:
        return stores().database.write(work)
    except IntegrityError:
        pass
    try:
        return stores().database.write(work)
    except IntegrityError as error:
        raise NotFound from error
