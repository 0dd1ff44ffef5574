"""Editing a video, and its way into the bin. Each change drops the cached access entry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from common.access import Watcher
from common.audit import Action, Actor, record, require_signed_in
from common.errors import Forbidden, NotFound
from common.stores import Stores
from common.translation import gettext
from common.video_texts import checked_description, checked_title, parse_visibility
from db.engine import transaction
from db.models import Video, Visibility, now
from streaming_service.videos.library import (
    get_video_to_delete,
    get_video_to_edit,
    rights_for,
)
from streaming_service.videos.tags import set_tags

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class VideoEdit:
    """What to change of a video; None leaves a field as it is.

    :ivar title: 1 to 200 characters after cleaning.
    :ivar description: up to 5000 characters.
    :ivar visibility: only those who may share the video change it, and `downloadable`.
    :ivar downloadable: whether those to whom it is visible may also download the original.
    :ivar tags: up to 20, in place of those it has.
    """

    title: str | None = None
    description: str | None = None
    visibility: str | None = None
    downloadable: bool | None = None
    tags: Sequence[str] | None = None


def edit_video(stores: Stores, actor: Actor, video_id: str, edit: VideoEdit) -> Video:
    """Change a video. From the next request on the new visibility counts.

    :raises NotFound: it is not theirs to edit.
    :raises Forbidden: they may edit it, and not decide who watches it.
    :raises Unprocessable: a text is empty or too long, or the visibility is unknown.
    """
    # Checked before the entry is held back, so that a stranger cannot keep a video uncached.
    get_video_to_edit(stores.database, require_signed_in(actor), video_id)
    with stores.videos.changing([video_id]):
        # Twice, if another request adds the same tag.
        return upsert(apply_edit, stores.database, actor, video_id, edit)


def bin_video(stores: Stores, actor: Actor, video_id: str) -> Video:
    """Put a video into its owner's bin: from the next request on, nobody else sees it.

    :raises NotFound: it is not theirs to delete, or it is in the bin already.
    """
    get_video_to_delete(stores.database, require_signed_in(actor), video_id)
    with stores.videos.changing([video_id]):
        return mark_binned(stores.database, actor, video_id)


@transaction(writes=True)
def apply_edit(session: Session, actor: Actor, video_id: str, edit: VideoEdit) -> Video:
    """Change the row of a video. Call it inside `VideoCache.changing`.

    :raises NotFound: it is not theirs to edit.
    :raises Forbidden: they may edit it, and not decide who watches it.
    :raises Unprocessable: a text is empty or too long, or the visibility is unknown.
    """
    viewer = require_signed_in(actor)
    video = get_video_to_edit(session, viewer, video_id)
    if edit.title is not None:
        video.title = checked_title(edit.title)
    if edit.description is not None:
        video.description = checked_description(edit.description)
    if edit.tags is not None:
        set_tags(session, video_id, edit.tags)
    before = (video.visibility, video.downloadable)
    if edit.visibility is not None:
        video.visibility = parse_visibility(edit.visibility)
    if edit.downloadable is not None:
        video.downloadable = edit.downloadable
    after = (video.visibility, video.downloadable)
    if after != before:
        if not rights_for(session, Watcher(viewer), [video_id])[video_id].share:
            raise Forbidden(
                gettext("You may edit this video. Who can watch it is for others to decide.")
            )
        record(
            session,
            actor,
            Action.VIDEO_VISIBILITY,
            video_id=video_id,
            before=before[0],
            visibility=after[0],
            downloadable=after[1],
        )
    return video


@transaction(writes=True)
def mark_binned(session: Session, actor: Actor, video_id: str) -> Video:
    """Mark a video as binned. Call it inside `VideoCache.changing`.

    One that an administrator takes away becomes private, so that its owner cannot simply put it
    back in front of everybody.

    :raises NotFound: it is not theirs to delete, or it is in the bin already.
    """
    viewer = require_signed_in(actor)
    video = get_video_to_delete(session, viewer, video_id)
    if video.binned_at is not None:
        raise NotFound
    video.binned_at = now()
    if video.owner_id != viewer.id:
        video.visibility = Visibility.PRIVATE
    record(session, actor, Action.VIDEO_BINNED, video_id=video_id)
    return video


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
