"""What others share with somebody: the grants to them and to their groups.

Every page shows how many of them are new, so this is not the streaming service's alone.
"""

from functools import cache

from sqlalchemy import (
    Select,
    Subquery,
    and_,
    case,
    func,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from common.access import Viewer
from common.access_queries import AT, VIEWER_ID, has_not_expired
from common.live import is_live, is_shown
from db.engine import transaction
from db.models import Collection, Grant, GroupMember, SharedSeen, UTCDateTime, Video, now


@cache
def received_grants() -> Subquery:
    """Return the valid grants that others made to a viewer, or to a group of theirs.

    The statement needs the parameters of :func:`common.access_queries.asked_by`. Left out are
    grants on what is the viewer's own, and on videos that are not there any more.

    :returns: `id`, `video_id`, `collection_id`, `user_id`, `group_id`, `level`, `expires_at`,
        `granted_by_id`, and `shared_at`: when it was made, or when the viewer joined the group.
    """
    columns = (
        Grant.id,
        Grant.video_id,
        Grant.collection_id,
        Grant.user_id,
        Grant.group_id,
        Grant.level,
        Grant.expires_at,
        Grant.granted_by_id,
    )
    valid = (
        has_not_expired(Grant.expires_at, AT),
        or_(Grant.granted_by_id.is_(None), Grant.granted_by_id != VIEWER_ID),
    )
    joined = case(
        (GroupMember.created_at > Grant.created_at, GroupMember.created_at),
        else_=Grant.created_at,
    )
    # Two statements, since each finds its rows by an index.
    by_name = select(*columns, Grant.created_at.label("shared_at")).where(
        Grant.user_id == VIEWER_ID, *valid
    )
    by_group = (
        select(*columns, type_coerce(joined, UTCDateTime()).label("shared_at"))
        .join(GroupMember, GroupMember.group_id == Grant.group_id)
        .where(GroupMember.user_id == VIEWER_ID, *valid)
    )
    received = union_all(by_name, by_group).subquery()
    video_is_there = and_(is_live(), is_shown(), Video.owner_id != VIEWER_ID)
    return (
        select(received)
        .outerjoin(Video, Video.id == received.c.video_id)
        .outerjoin(Collection, Collection.id == received.c.collection_id)
        .where(or_(video_is_there, Collection.owner_id != VIEWER_ID))
        .subquery()
    )


@transaction(writes=False)
def count_unseen(session: Session, viewer: Viewer) -> int:
    """Return how many videos and collections were shared with a viewer since they last looked."""
    return session.scalar(_unseen(), {"viewer_id": viewer.id, "at": now()}) or 0


@cache
def _unseen() -> Select[int]:
    received = received_grants()
    seen_at = select(SharedSeen.seen_at).where(SharedSeen.user_id == VIEWER_ID).scalar_subquery()
    what = func.coalesce(received.c.video_id, received.c.collection_id)
    return select(func.count(what.distinct())).where(
        or_(seen_at.is_(None), received.c.shared_at > seen_at)
    )
