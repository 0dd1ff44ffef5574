"""Finding and listing videos.

Every way to a video leads through the functions of this module, and through `common.access` or its
SQL in `common.access_queries`: what somebody may not see is not there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from common.access import Rights, VideoAccess, Viewer, Watcher, rights_of
from common.access_queries import asked_by, read_access, visible_to, with_groups
from common.errors import LoginRequired, NotFound
from common.ids import is_id
from db.engine import transaction
from db.models import Position, Video, Visibility
from streaming_service.videos.cursors import Cursor, Sort
from streaming_service.videos.filters import Filters, conditions

PAGE = 24  # videos; a multiple of 2, 3 and 4, so that the rows of the grid are full
SEARCH_LIMIT = 200  # characters


@dataclass(frozen=True)
class ListQuery:
    """What to list, and in which order.

    :ivar after: the cursor of the page before, from its :class:`VideoPage`.
    """

    filters: Filters = field(default_factory=Filters)
    sort: Sort = Sort.NEWEST
    after: Cursor | None = None


@dataclass(frozen=True)
class VideoPage:
    """A page of a list, and the cursor of the next page, if there is one."""

    videos: list[Video]
    next: Cursor | None


_NOBODY = VideoAccess(owner_id=None, visibility=Visibility.PRIVATE)


def rights_for(session: Session, watcher: Watcher, ids: Sequence[str]) -> Mapping[str, Rights]:
    """Return what somebody may do with each of these videos, by id; with none that is not there.

    The watcher's groups are read from the database.
    """
    access = read_access(session, ids)
    asking = with_groups(session, watcher)
    return {video_id: rights_of(asking, access.get(video_id, _NOBODY)) for video_id in ids}


@transaction(writes=False)
def get_video_for(session: Session, watcher: Watcher, video_id: str) -> Video:
    """Return a video, with its owner, that somebody may watch.

    :raises LoginRequired: nobody is signed in, and they may not watch it, or there is none.
    :raises NotFound: there is none, or it is not for them.
    """
    return _get_if(session, watcher, video_id, lambda rights: rights.watch)


def get_videos_with_rights(
    session: Session, watcher: Watcher, ids: Sequence[str]
) -> tuple[list[Video], Mapping[str, Rights]]:
    """Return those of these videos that somebody may watch, and their rights on all, by id."""
    rights = rights_for(session, watcher, ids)
    seen = [video_id for video_id in ids if rights[video_id].watch]
    return list(session.scalars(select_with_owner().where(Video.id.in_(seen)))), rights


@transaction(writes=False)
def get_video_to_edit(session: Session, viewer: Viewer, video_id: str) -> Video:
    """Return a video of which a viewer may change title, description, captions and tags.

    :raises NotFound: there is none, or they may not.
    """
    return _get_if(session, Watcher(viewer), video_id, lambda rights: rights.edit)


@transaction(writes=False)
def get_video_to_share(session: Session, viewer: Viewer, video_id: str) -> Video:
    """Return a video of which a viewer may decide who watches it.

    :raises NotFound: there is none, or they may not.
    """
    return _get_if(session, Watcher(viewer), video_id, lambda rights: rights.share)


@transaction(writes=False)
def get_video_to_delete(session: Session, viewer: Viewer, video_id: str) -> Video:
    """Return a video that a viewer may delete.

    :raises NotFound: there is none, or they may not.
    """
    return _get_if(session, Watcher(viewer), video_id, lambda rights: rights.remove)


def _get_if(
    session: Session, watcher: Watcher, video_id: str, rule: Callable[[Rights], bool]
) -> Video:
    if is_id(video_id) and rule(rights_for(session, watcher, [video_id])[video_id]):
        video = session.scalars(select_with_owner().where(Video.id == video_id)).one_or_none()
        if video is not None:
            return video
    raise LoginRequired if watcher.viewer is None else NotFound


@transaction(writes=False)
def list_videos(
    session: Session, viewer: Viewer, query: ListQuery, *, size: int = PAGE
) -> VideoPage:
    """Return a page of the videos that a viewer may see: their own, and what others share.

    What is in the bin has a list of its own.

    :param size: videos on the page, at most.
    """
    key, descending = _sort_key(query.sort)
    wanted = select_with_owner().where(*_listed(session, viewer, query.filters))
    if query.sort is Sort.WATCHED:
        of_viewer = and_(Position.video_id == Video.id, Position.user_id == viewer.id)
        wanted = wanted.outerjoin(Position, of_viewer)
    return read_page(
        session,
        wanted.params(asked_by(Watcher(viewer))),
        sort=query.sort,
        key=key,
        descending=descending,
        after=query.after,
        size=size,
    )


@transaction(writes=False)
def count_videos(session: Session, viewer: Viewer, filters: Filters) -> int:
    """Return how many videos :func:`list_videos` has on all its pages."""
    wanted = select(func.count()).select_from(Video).where(*_listed(session, viewer, filters))
    return session.scalar(wanted.params(asked_by(Watcher(viewer)))) or 0


def _listed(session: Session, viewer: Viewer, filters: Filters) -> list[ColumnElement[bool]]:
    visible = [visible_to(Watcher(viewer)), Video.binned_at.is_(None)]
    return [*visible, *conditions(session, viewer, filters)]


def read_page(
    session: Session,
    wanted: Select[Video],
    *,
    sort: Sort,
    key: ColumnElement[Any],
    descending: bool,
    after: Cursor | None,
    size: int = PAGE,
) -> VideoPage:
    """Return a page of a list of videos.

    :param sort: of the cursors.
    :param key: what is sorted by, before the id.
    :param size: videos on the page, at most.
    """
    if after is not None:
        wanted = wanted.where(_follows(key, after, descending=descending))
    columns = (key.desc(), Video.id.desc()) if descending else (key, Video.id)
    # One more than is shown tells whether there is a next page.
    keyed = wanted.add_columns(key.label("key")).order_by(*columns).limit(size + 1)
    rows = session.execute(keyed).all()
    videos = [row[0] for row in rows[:size]]
    if len(rows) <= size:
        return VideoPage(videos, None)
    last, value = rows[size - 1]
    return VideoPage(videos, Cursor(sort, last.title if sort is Sort.TITLE else value, last.id))


def select_with_owner() -> Select[Video]:
    """Select videos together with their owners."""
    return select(Video).join(Video.owner).options(contains_eager(Video.owner))


def _sort_key(sort: Sort) -> tuple[ColumnElement[Any], bool]:
    """Return what is sorted by, before the id, and whether the largest comes first."""
    match sort:
        case Sort.TITLE:
            return func.lower(Video.title), False
        case Sort.LONGEST:
            return func.coalesce(Video.duration_ms, 0), True
        case Sort.LARGEST:
            return Video.size.expression, True
        case Sort.WATCHED:
            return Position.watched_at.expression, True  # both databases put NULL last
        case Sort.NEWEST | Sort.OLDEST:
            return Video.created_at.expression, sort is Sort.NEWEST


def _follows(key: ColumnElement[Any], after: Cursor, *, descending: bool) -> ColumnElement[bool]:
    if after.value is None:
        return and_(key.is_(None), Video.id < after.video_id)
    value = func.lower(after.value) if after.sort is Sort.TITLE else after.value
    if descending:
        following = or_(key < value, and_(key == value, Video.id < after.video_id))
        return or_(following, key.is_(None)) if after.sort is Sort.WATCHED else following
    return or_(key > value, and_(key == value, Video.id > after.video_id))
