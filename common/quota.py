"""How much an account stores and may store: computed in this module alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from common.live import is_live
from db.engine import transaction
from db.models import NO_QUOTA, Upload, User, Video


@dataclass(frozen=True)
class StorageUse:
    """What an account stores and may store, in bytes.

    :ivar videos: of the originals of its videos, those in the bin included.
    :ivar binned: of the originals of those in the bin.
    :ivar reserved: for its unfinished uploads, whether or not the bytes have arrived.
    :ivar quota: the limit that applies; None is no limit.
    :ivar video_count: how many videos it has.
    """

    videos: int
    reserved: int
    quota: int | None
    video_count: int
    binned: int = 0

    @property
    def used(self) -> int:
        """What counts towards the quota."""
        return self.videos + self.reserved

    @property
    def remaining(self) -> int | None:
        """Bytes that may still be uploaded, 0 at least; None is no limit."""
        return None if self.quota is None else max(0, self.quota - self.used)


@transaction(writes=False)
def users_with_storage_use(
    session: Session, *, default_quota: int | None, user_ids: Sequence[int]
) -> list[tuple[User, StorageUse]]:
    """Return these accounts with what each stores, the oldest first. One query.

    :param default_quota: of accounts without their own; None is no limit.
    """
    stored = _stored().where(Video.owner_id.in_(user_ids)).subquery()
    reserved = (
        select(Upload.owner_id, func.coalesce(func.sum(Upload.reserved), 0).label("reserved"))
        .where(Upload.owner_id.in_(user_ids))
        .group_by(Upload.owner_id)
        .subquery()
    )
    query = (
        select(
            User,
            func.coalesce(stored.c.count, 0),
            func.coalesce(stored.c.size, 0),
            func.coalesce(stored.c.binned, 0),
            func.coalesce(reserved.c.reserved, 0),
        )
        .outerjoin(stored, stored.c.owner_id == User.id)
        .outerjoin(reserved, reserved.c.owner_id == User.id)
        .where(User.id.in_(user_ids))
        .order_by(User.id)
    )
    return [
        (
            user,
            StorageUse(
                videos=int(size),  # MySQL's sums are decimals
                reserved=int(reserved),
                quota=effective_quota(user.quota, default_quota),
                video_count=count,
                binned=int(binned),
            ),
        )
        for user, count, size, binned, reserved in session.execute(query)
    ]


def _stored() -> Select[int | None, int, int, int]:
    """Return the count and sizes of live videos by owner."""
    return (
        select(
            Video.owner_id,
            func.count().label("count"),
            func.coalesce(func.sum(Video.size), 0).label("size"),
            func.sum(case((Video.binned_at.is_not(None), Video.size), else_=0)).label("binned"),
        )
        .where(is_live())
        .group_by(Video.owner_id)
    )


@dataclass(frozen=True)
class OwnerShare:
    """What the videos of one account take."""

    user_id: int
    name: str
    size: int


@transaction(writes=False)
def largest_owners(session: Session, *, limit: int) -> list[OwnerShare]:
    """Return the accounts whose videos take most, the largest first."""
    stored = _stored().subquery()
    query = (
        select(User.id, User.name, stored.c.size)
        .join(stored, stored.c.owner_id == User.id)
        .order_by(stored.c.size.desc(), User.id)
        .limit(limit)
    )
    return [OwnerShare(user_id, name, int(size)) for user_id, name, size in session.execute(query)]


@transaction(writes=False)
def storage_use(session: Session, *, user_id: int, default_quota: int | None) -> StorageUse:
    """Return what one account stores and may store; nothing for a deleted account."""
    found = users_with_storage_use(session, default_quota=default_quota, user_ids=[user_id])
    return found[0][1] if found else StorageUse(0, 0, default_quota, 0)


@transaction(writes=False)
def binned_bytes(session: Session, *, user_id: int) -> int:
    """Return how many bytes of originals an account has in its bin."""
    binned = (Video.owner_id == user_id, Video.binned_at.is_not(None), is_live())
    return int(session.scalar(select(func.sum(Video.size)).where(*binned)) or 0)


def effective_quota(own: int | None, default: int | None) -> int | None:
    """Return the quota that applies: the account's own, or the default; None is no limit."""
    quota = default if own is None else own
    return None if quota == NO_QUOTA else quota
