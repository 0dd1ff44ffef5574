"""What an administrator does with other people's accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth_service.accounts import change_and_end_sessions, viewer_for
from auth_service.leaving import require_another_administrator
from auth_service.quotas import Storage, make_storage
from common.access import Viewer
from common.errors import NotThere
from common.stores import Stores
from db.models import Role, Upload, User, Video, now

_RANKS = list(Role)  # each role includes the ones before it


@dataclass(frozen=True)
class Person:
    """An account as the administrator sees it."""

    id: int
    name: str
    role: Role
    disabled: bool
    created_at: datetime
    video_count: int
    storage: Storage


def list_people(session: Session, *, everybody: int | None) -> Sequence[Person]:
    """Return every account, the oldest first, each with what it stores and may store.

    :param everybody: the quota of accounts without their own; None is none.
    """
    videos = (
        select(Video.owner_id, func.count().label("count"), func.sum(Video.size).label("size"))
        .where(Video.deleted_at.is_(None))
        .group_by(Video.owner_id)
        .subquery()
    )
    uploads = (
        select(Upload.owner_id, func.sum(Upload.reserved).label("reserved"))
        .group_by(Upload.owner_id)
        .subquery()
    )
    rows = session.execute(
        select(
            User.id,
            User.name,
            User.role,
            User.disabled_at,
            User.created_at,
            User.quota,
            func.coalesce(videos.c.count, 0),
            func.coalesce(videos.c.size, 0),
            func.coalesce(uploads.c.reserved, 0),
        )
        .outerjoin(videos, videos.c.owner_id == User.id)
        .outerjoin(uploads, uploads.c.owner_id == User.id)
        .order_by(User.id)
    )
    return [
        Person(
            id=user_id,
            name=name,
            role=role,
            disabled=disabled_at is not None,
            created_at=created_at,
            video_count=count,
            storage=make_storage(  # MySQL's sums are decimals
                videos=int(size), reserved=int(reserved), own=quota, everybody=everybody
            ),
        )
        for user_id, name, role, disabled_at, created_at, quota, count, size, reserved in rows
    ]


def change_role(stores: Stores, *, user_id: int, role: Role) -> None:
    """Give an account another role; its sessions have it at once.

    They get the lesser of both roles before the commit and the new one after it, so that whatever
    fails in between, no session may do more than its account.

    :raises NotThere: there is no such account.
    :raises LastAdministrator: it is the only one.
    """

    def change(session: Session) -> Viewer:
        if role is not Role.ADMIN:
            require_another_administrator(session, user_id=user_id)
        user = _lock(session, user_id)
        lesser = min(user.role, role, key=_RANKS.index)
        user.role = role
        session.flush()
        stores.sessions.change_role(Viewer(id=user.id, name=user.name, role=lesser))
        return viewer_for(user)

    stores.sessions.change_role(stores.database.write(change))


def disable(stores: Stores, *, user_id: int) -> None:
    """Keep somebody out from now on, and end their sessions. Their videos stay.

    :raises NotThere: there is no such account.
    :raises LastAdministrator: it is the only one.
    """

    def change(session: Session) -> None:
        require_another_administrator(session, user_id=user_id)
        user = _lock(session, user_id)
        user.disabled_at = user.disabled_at or now()

    change_and_end_sessions(stores, change, user_id=user_id)


def enable(session: Session, *, user_id: int) -> None:
    """Let somebody in again.

    :raises NotThere: there is no such account.
    """
    _lock(session, user_id).disabled_at = None


def set_quota(session: Session, *, user_id: int, quota: int | None) -> None:
    """Let an account store so many bytes. What it has already stays, even if it is more.

    :param quota: None is what everybody may, `NO_QUOTA` any amount.
    :raises NotThere: there is no such account.
    """
    _lock(session, user_id).quota = quota


def reset_account(stores: Stores, *, user_id: int, password_hash: str, role: Role) -> None:
    """Set password and role anew, let the account in again, and end its sessions.

    For the command line: whoever runs the machine needs no password.

    :raises NotThere: there is no such account.
    """

    def change(session: Session) -> None:
        user = _lock(session, user_id)
        user.password_hash, user.role, user.disabled_at = password_hash, role, None

    change_and_end_sessions(stores, change, user_id=user_id)


def _lock(session: Session, user_id: int) -> User:
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotThere
    return user
