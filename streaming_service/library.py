"""Videos as their viewers know them: found, listed, changed and deleted.

What somebody may not see is not there: every way to a video leads through :func:`get_video_for` or
:func:`list_videos`, and through `common.access`.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from common.access import VideoAccess, Viewer, may_edit, may_remove, may_watch
from common.errors import NotFound
from common.ids import is_id
from db.models import User, Video, Visibility, now
from streaming_service.cursors import Cursor, Sort
from streaming_service.wording import clean_description, clean_line, clean_title, visibility_of

PAGE = 24  # videos; a multiple of 2, 3 and 4, so that the rows of the grid are full
_WORDS = 10  # of a search; further ones are not looked at


class Whose(enum.StrEnum):
    """Which videos to list: those one may see, or one's own."""

    ALL = "all"
    MINE = "mine"


@dataclass(frozen=True)
class Found:
    """A page of a list, and where the next one begins, if there is one."""

    videos: list[Video]
    next: Cursor | None


def access_of(video: Video) -> VideoAccess:
    """Return what decides on access to a video's page; a refused one is its owner's alone."""
    gone = video.deleted_at is not None
    visibility = video.visibility if video.rejection_reason is None else Visibility.PRIVATE
    return VideoAccess(
        None if gone else video.owner_id, visibility, video.downloadable, video.playable
    )


def get_video_for(session: Session, viewer: Viewer | None, video_id: str) -> Video:
    """Return a video, with its owner, that somebody (None: signed out) may watch.

    :raises NotFound: there is none, or it is not for them.
    """
    if is_id(video_id):
        wanted = _with_owner().where(Video.id == video_id, Video.deleted_at.is_(None))
        video = session.scalars(wanted).one_or_none()
        if video is not None and may_watch(viewer, access_of(video)):
            return video
    raise NotFound


def get_videos_for(session: Session, viewer: Viewer | None, ids: Sequence[str]) -> list[Video]:
    """Return those of these videos, with their owners, that somebody may watch."""
    wanted = _with_owner().where(Video.id.in_(ids), Video.deleted_at.is_(None))
    return [video for video in session.scalars(wanted) if may_watch(viewer, access_of(video))]


def get_video_to_edit(session: Session, viewer: Viewer, video_id: str) -> Video:
    """Return a video that somebody may rename, describe and share.

    :raises NotFound: there is none, or it is not theirs.
    """
    video = get_video_for(session, viewer, video_id)
    if not may_edit(viewer, access_of(video)):
        raise NotFound
    return video


def get_video_to_remove(session: Session, viewer: Viewer, video_id: str) -> Video:
    """Return a video that somebody may delete.

    :raises NotFound: there is none, or it is not theirs to delete.
    """
    video = get_video_for(session, viewer, video_id)
    if not may_remove(viewer, access_of(video)):
        raise NotFound
    return video


def edit_video(
    session: Session,
    viewer: Viewer,
    video_id: str,
    *,
    title: str | None = None,
    description: str | None = None,
    visibility: str | None = None,
    downloadable: bool | None = None,
) -> Video:
    """Change what is given of a video. Runs inside `VideoCache.changing`.

    :param title: 1 to 200 characters, not counting what cannot be seen.
    :param description: up to 5000 characters.
    :param downloadable: whether whoever may watch may also keep the original.
    :raises NotFound: it is not theirs to edit.
    :raises Unprocessable: a text is empty or too long, or the visibility is not one we know.
    """
    video = get_video_to_edit(session, viewer, video_id)
    if title is not None:
        video.title = clean_title(title)
    if description is not None:
        video.description = clean_description(description)
    if visibility is not None:
        video.visibility = visibility_of(visibility)
    if downloadable is not None:
        video.downloadable = downloadable
    return video


def remove_video(session: Session, viewer: Viewer, video_id: str) -> None:
    """Take a video away from everybody; the janitor removes its bytes, then its row.

    Runs inside `VideoCache.changing`.

    :raises NotFound: it is not theirs to delete.
    """
    get_video_to_remove(session, viewer, video_id).deleted_at = now()


def list_videos(
    session: Session,
    viewer: Viewer,
    *,
    search: str = "",
    sort: Sort = Sort.NEWEST,
    whose: Whose = Whose.ALL,
    after: Cursor | None = None,
) -> Found:
    """Return a page of the videos that somebody may find: their own, and what others share.

    :param search: words that all have to occur in title, description or the owner's name.
    :param after: where the page before ended, from its :class:`Found`.
    """
    wanted = _with_owner().where(Video.deleted_at.is_(None), _may_find(viewer, whose))
    for word in clean_line(search).split()[:_WORDS]:
        wanted = wanted.where(_holds(word))
    key, descending = _order(sort)
    if after is not None:
        wanted = wanted.where(_beyond(key, after, descending=descending))
    columns = (key.desc(), Video.id.desc()) if descending else (key, Video.id)
    # One more than is shown tells whether there is a next page.
    videos = list(session.scalars(wanted.order_by(*columns).limit(PAGE + 1)))
    following = Cursor.at(videos[PAGE - 1], sort) if len(videos) > PAGE else None
    return Found(videos[:PAGE], following)


def _with_owner() -> Select[Video]:
    # An inner join: a video without an owner is nobody's, and never found.
    return select(Video).join(Video.owner).options(contains_eager(Video.owner))


def _may_find(viewer: Viewer, whose: Whose) -> ColumnElement[bool]:
    """`may_watch` in SQL; a test holds the two together."""
    own = Video.owner_id == viewer.id
    if whose is Whose.MINE:
        return own
    shared = Video.visibility.in_([Visibility.MEMBERS, Visibility.PUBLIC])
    return or_(own, and_(shared, Video.rejection_reason.is_(None)))


def _holds(word: str) -> ColumnElement[bool]:
    places = (Video.title, Video.description, User.name)
    return or_(*(place.icontains(word, autoescape=True) for place in places))


def _order(sort: Sort) -> tuple[ColumnElement[Any], bool]:
    """Return what is sorted by, before the id, and whether the largest comes first."""
    if sort is Sort.TITLE:
        return func.lower(Video.title), False
    return Video.created_at.expression, sort is Sort.NEWEST


def _beyond(key: ColumnElement[Any], after: Cursor, *, descending: bool) -> ColumnElement[bool]:
    value = func.lower(after.value) if after.sort is Sort.TITLE else after.value
    if descending:
        return or_(key < value, and_(key == value, Video.id < after.video_id))
    return or_(key > value, and_(key == value, Video.id > after.video_id))
