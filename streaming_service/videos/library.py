"""Finding and listing videos.

Every way to a video leads through :func:`get_video_for`, :func:`get_videos_for` or
:func:`list_videos`, and through `common.access`: what a viewer may not see is not there.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from common.access import VideoAccess, Viewer, may_edit, may_remove, may_watch
from common.errors import LoginRequired, NotFound
from common.ids import is_id
from common.live import is_live, is_live_video
from common.titles import clean_line
from db.collation import fold
from db.engine import transaction
from db.models import User, Video, Visibility
from streaming_service.videos.cursors import Cursor, Sort

PAGE = 24  # videos; a multiple of 2, 3 and 4, so that the rows of the grid are full
SEARCH_LIMIT = 200  # characters
_WORDS = 10  # of a search; further ones are not looked at


class OwnerFilter(enum.StrEnum):
    """Whose videos to list: all that the viewer may see, or the viewer's own."""

    ALL = "all"
    MINE = "mine"


@dataclass(frozen=True)
class ListQuery:
    """What to list, and in which order.

    :ivar search: words that all have to occur in title, description or the owner's name. Accents
        and case do not count.
    :ivar after: the cursor of the page before, from its :class:`VideoPage`.
    """

    search: str = ""
    sort: Sort = Sort.NEWEST
    whose: OwnerFilter = OwnerFilter.ALL
    after: Cursor | None = None


@dataclass(frozen=True)
class VideoPage:
    """A page of a list, and the cursor of the next page, if there is one."""

    videos: list[Video]
    next: Cursor | None


def access_of(video: Video) -> VideoAccess:
    """Return what decides on access to a video's page. A rejected video is its owner's alone."""
    owner_id = video.owner_id if is_live_video(video) else None
    visibility = video.visibility if video.rejection_reason is None else Visibility.PRIVATE
    return VideoAccess(owner_id, visibility, video.downloadable, video.playable)


@transaction(writes=False)
def get_video_for(session: Session, viewer: Viewer | None, video_id: str) -> Video:
    """Return a video, with its owner, that a viewer (None: signed out) may watch.

    :raises LoginRequired: the viewer is signed out and may not watch it, or there is none.
    :raises NotFound: there is none, or it is not for this viewer.
    """
    if is_id(video_id):
        wanted = _with_owner().where(Video.id == video_id, is_live())
        video = session.scalars(wanted).one_or_none()
        if video is not None and may_watch(viewer, access_of(video)):
            return video
    if viewer is None:
        raise LoginRequired
    raise NotFound


def get_videos_for(session: Session, viewer: Viewer | None, ids: Sequence[str]) -> list[Video]:
    """Return those of these videos, with their owners, that a viewer may watch."""
    wanted = _with_owner().where(Video.id.in_(ids), is_live())
    return [video for video in session.scalars(wanted) if may_watch(viewer, access_of(video))]


@transaction(writes=False)
def get_video_to_edit(session: Session, viewer: Viewer, video_id: str) -> Video:
    """Return a video that a viewer may edit and share.

    :raises NotFound: there is none, or it is not theirs.
    """
    video = get_video_for(session, viewer, video_id)
    if not may_edit(viewer, access_of(video)):
        raise NotFound
    return video


@transaction(writes=False)
def get_video_to_delete(session: Session, viewer: Viewer, video_id: str) -> Video:
    """Return a video that a viewer may delete.

    :raises NotFound: there is none, or it is not theirs to delete.
    """
    video = get_video_for(session, viewer, video_id)
    if not may_remove(viewer, access_of(video)):
        raise NotFound
    return video


@transaction(writes=False)
def list_videos(session: Session, viewer: Viewer, query: ListQuery) -> VideoPage:
    """Return a page of the videos that a viewer may see: their own, and what others share."""
    wanted = _with_owner().where(is_live(), _is_visible_to(viewer, query.whose))
    for word in clean_line(query.search).split()[:_WORDS]:
        wanted = wanted.where(_has_word(session, word))
    key, descending = _sort_key(query.sort)
    if query.after is not None:
        wanted = wanted.where(_follows(key, query.after, descending=descending))
    columns = (key.desc(), Video.id.desc()) if descending else (key, Video.id)
    # One more than is shown tells whether there is a next page.
    videos = list(session.scalars(wanted.order_by(*columns).limit(PAGE + 1)))
    following = Cursor.at(videos[PAGE - 1], query.sort) if len(videos) > PAGE else None
    return VideoPage(videos[:PAGE], following)


def _with_owner() -> Select[Video]:
    return select(Video).join(Video.owner).options(contains_eager(Video.owner))


def _is_visible_to(viewer: Viewer, whose: OwnerFilter) -> ColumnElement[bool]:
    """`may_watch` in SQL; a test compares the two."""
    own = Video.owner_id == viewer.id
    if whose is OwnerFilter.MINE:
        return own
    shared = Video.visibility.in_([Visibility.MEMBERS, Visibility.PUBLIC])
    return or_(own, and_(shared, Video.rejection_reason.is_(None)))


def _has_word(session: Session, word: str) -> ColumnElement[bool]:
    columns = (Video.title, Video.description, User.name)
    if session.get_bind().dialect.name == "sqlite":
        return or_(*(func.instr(func.fold(column), fold(word)) > 0 for column in columns))
    # The collation of the columns passes over accents and case.
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


def _sort_key(sort: Sort) -> tuple[ColumnElement[Any], bool]:
    """Return what is sorted by, before the id, and whether the largest comes first."""
    if sort is Sort.TITLE:
        return func.lower(Video.title), False
    return Video.created_at.expression, sort is Sort.NEWEST


def _follows(key: ColumnElement[Any], after: Cursor, *, descending: bool) -> ColumnElement[bool]:
    value = func.lower(after.value) if after.sort is Sort.TITLE else after.value
    if descending:
        return or_(key < value, and_(key == value, Video.id < after.video_id))
    return or_(key > value, and_(key == value, Video.id > after.video_id))
