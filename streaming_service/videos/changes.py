"""Editing a video, and its way into the bin."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from common.access import Rights, Watcher
from common.audit import Action, Actor, record, require_signed_in
from common.errors import Forbidden, NotFound
from common.stores import Stores
from common.stores.read_through import Mark
from common.translation import gettext
from common.video_texts import checked_description, checked_title, parse_visibility
from db.engine import transaction
from db.models import Video, Visibility, now
from streaming_service.access_changes import changes_access
from streaming_service.videos.library import (
    get_video_to_delete,
    get_video_to_edit,
    rights_for,
)
from streaming_service.videos.tags import change_tags, set_tags

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


def edit_video(stores: Stores, actor: Actor, video_id: str, edit: VideoEdit) -> None:
    """Change a video. From the next request on the new visibility counts.

    :raises NotFound: it is not theirs to edit.
    :raises Forbidden: they may edit it, and not decide who watches it.
    :raises Unprocessable: a text is empty or too long, or the visibility is unknown.
    """
    # Twice, if another request adds the same tag.
    upsert(_apply_edit, stores, actor, video_id, edit)


@changes_access
def _apply_edit(session: Session, mark: Mark, actor: Actor, video_id: str, edit: VideoEdit) -> None:
    viewer = require_signed_in(actor)
    video = get_video_to_edit(session, viewer, video_id)
    mark([video_id])
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
        _record_visibility(session, actor, video, before=before[0])


@changes_access
def set_visibility(
    session: Session,
    mark: Mark,
    actor: Actor,
    video_ids: Sequence[str],
    visibility: Visibility,
) -> list[str]:
    """Change who may watch several videos; return the ids of those that the actor may share."""
    videos = _lock_allowed(session, actor, video_ids, lambda rights: rights.share)
    changed = [video.id for video in videos]
    mark(changed)
    for video in videos:
        before = video.visibility
        video.visibility = visibility
        if visibility is not before:
            _record_visibility(session, actor, video, before=before)
    return changed


def _record_visibility(session: Session, actor: Actor, video: Video, *, before: Visibility) -> None:
    record(
        session,
        actor,
        Action.VIDEO_VISIBILITY,
        video_id=video.id,
        before=before,
        visibility=video.visibility,
        downloadable=video.downloadable,
    )


@transaction(writes=True)
def tag_videos(
    session: Session, actor: Actor, video_ids: Sequence[str], tags: Mapping[str, str], *, adds: bool
) -> list[str]:
    """Add tags to those of these videos that the actor may edit, or take them away; see there."""
    videos = _lock_allowed(session, actor, video_ids, lambda rights: rights.edit)
    return change_tags(session, [video.id for video in videos], tags, adds=adds)


@changes_access
def bin_video(session: Session, mark: Mark, actor: Actor, video_id: str) -> Video:
    """Put a video into its owner's bin: from the next request on, nobody else sees it.

    One that an administrator takes away becomes private, so that its owner cannot simply put it
    back in front of everybody.

    :raises NotFound: it is not theirs to delete, or it is in the bin already.
    """
    video = get_video_to_delete(session, require_signed_in(actor), video_id)
    if video.binned_at is not None:
        raise NotFound
    mark([video_id])
    _bin(session, actor, video)
    return video


@changes_access
def bin_videos(session: Session, mark: Mark, actor: Actor, video_ids: Sequence[str]) -> list[str]:
    """Do as :func:`bin_video` with several videos at once; return the ids of those that it was."""
    allowed = _lock_allowed(session, actor, video_ids, lambda rights: rights.remove)
    videos = [video for video in allowed if video.binned_at is None]
    binned = [video.id for video in videos]
    mark(binned)
    for video in videos:
        _bin(session, actor, video)
    return binned


def _bin(session: Session, actor: Actor, video: Video) -> None:
    video.binned_at = now()
    if video.owner_id != require_signed_in(actor).id:
        video.visibility = Visibility.PRIVATE
    record(session, actor, Action.VIDEO_BINNED, video_id=video.id)


def _lock_allowed(
    session: Session, actor: Actor, video_ids: Sequence[str], rule: Callable[[Rights], bool]
) -> list[Video]:
    """Return those of these videos with which the actor may do something, locked."""
    rights = rights_for(session, Watcher(require_signed_in(actor)), video_ids)
    wanted = select(Video).where(Video.id.in_(video_ids)).with_for_update()
    return [video for video in session.scalars(wanted) if rule(rights[video.id])]


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
