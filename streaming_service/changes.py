"""Changes to a video, made so that no answer about it is given from before."""

from typing import Any

from common.access import Viewer
from common.stores import stores
from db.models import Video
from streaming_service.library import (
    edit_video,
    get_video_to_edit,
    get_video_to_remove,
    remove_video,
)


def find_to_edit(viewer: Viewer, video_id: str) -> Video:
    """Return a video for its owner to edit.

    :raises NotThere: it is not theirs.
    """
    return stores().database.read(lambda session: get_video_to_edit(session, viewer, video_id))


def edit(viewer: Viewer, video_id: str, fields: dict[str, Any]) -> Video:
    """Change title, description, visibility or download switch, as far as they are given.

    :raises NotThere: it is not theirs to edit.
    :raises Unprocessable: a field is wrong.
    """
    # Asked first, so that a stranger cannot keep a video out of the cache.
    find_to_edit(viewer, video_id)
    with stores().videos.changing([video_id]):
        return stores().database.write(
            lambda session: edit_video(session, viewer, video_id, **fields)
        )


def remove(viewer: Viewer, video_id: str) -> None:
    """Delete a video: from the next request on nobody gets it.

    :raises NotThere: it is not theirs to delete.
    """
    database = stores().database
    database.read(lambda session: get_video_to_remove(session, viewer, video_id))
    with stores().videos.changing([video_id]):
        database.write(lambda session: remove_video(session, viewer, video_id))
