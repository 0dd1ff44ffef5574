"""What an administrator does with other people's accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from auth_service.accounts import change_and_end_sessions, viewer_for
from auth_service.leaving import require_another_administrator
from common.access import Viewer
from common.errors import NotFound
from common.quota import StorageUse, users_with_storage_use
from common.stores import Stores
from db.models import Role, User, now

_RANKS = list(Role)  # each role includes the ones before it


@dataclass(frozen=True)
class Person:
    """An account as the administrator sees it."""

    id: int
    name: str
    role: Role
    disabled: bool
    created_at: datetime
    storage: StorageUse


def list_people(session: Session, *, everybody: int | None) -> Sequence[Person]:
    """Return every account, the oldest first, each with what it stores and may store.

    :param everybody: the quota of accounts without their own; None is none.
    """
    return [
        Person(
            id=user.id,
            name=user.name,
            role=user.role,
            disabled=user.disabled_at is not None,
            created_at=user.created_at,
            storage=storage,
        )
        for user, storage in users_with_storage_use(session, default_quota=everybody)
    ]


def change_role(stores: Stores, *, user_id: int, role: Role) -> None:
    """Give an account another role; its sessions have it at once.

    They get the lesser of both roles before the commit and the new one after it, so that whatever
    fails in between, no session may do more than its account.

    :raises NotFound: there is no such account.
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

    :raises NotFound: there is no such account.
    :raises LastAdministrator: it is the only one.
    """

    def change(session: Session) -> None:
        require_another_administrator(session, user_id=user_id)
        user = _lock(session, user_id)
        user.disabled_at = user.disabled_at or now()

    change_and_end_sessions(stores, change, user_id=user_id)


def enable(session: Session, *, user_id: int) -> None:
    """Let somebody in again.

    :raises NotFound: there is no such account.
    """
    _lock(session, user_id).disabled_at = None


def set_quota(session: Session, *, user_id: int, quota: int | None) -> None:
    """Let an account store so many bytes. What it has already stays, even if it is more.

    :param quota: None is what everybody may, `NO_QUOTA` any amount.
    :raises NotFound: there is no such account.
    """
    _lock(session, user_id).quota = quota


def reset_account(stores: Stores, *, user_id: int, password_hash: str, role: Role) -> None:
    """Set password and role anew, let the account in again, and end its sessions.

    For the command line: whoever runs the machine needs no password.

    :raises NotFound: there is no such account.
    """

    def change(session: Session) -> None:
        user = _lock(session, user_id)
        user.password_hash, user.role, user.disabled_at = password_hash, role, None

    change_and_end_sessions(stores, change, user_id=user_id)


def _lock(session: Session, user_id: int) -> User:
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound
    return user
