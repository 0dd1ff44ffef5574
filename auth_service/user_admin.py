"""What an administrator can do with other people's accounts."""

from dataclasses import replace

from sqlalchemy.orm import Session

from auth_service.account_deletion import require_another_administrator
from auth_service.accounts import change_and_end_sessions, record_account, viewer_for
from common.audit import Action, Actor
from common.errors import NotFound
from common.stores import Stores
from common.stores.sessions import SessionStore
from db.engine import transaction
from db.models import Role, User, now

_RANKS = list(Role)  # each role includes the ones before it


def change_role(stores: Stores, actor: Actor, *, user_id: int, role: Role) -> None:
    """Give an account another role; its sessions have it at once.

    They get the lesser of both roles before the commit, so that whatever fails after it, no session
    may do more than its account. Then they get the role that the row has. It is locked meanwhile,
    so that of two changes at the same time the one that was committed last counts.

    :raises NotFound: there is no such account.
    :raises LastAdministrator: it is the only one.
    """
    _change_role(stores.database, actor, sessions=stores.sessions, user_id=user_id, role=role)
    _update_sessions(stores.database, sessions=stores.sessions, user_id=user_id)


@transaction(writes=True)
def _change_role(
    session: Session, actor: Actor, *, sessions: SessionStore, user_id: int, role: Role
) -> None:
    if role is not Role.ADMIN:
        require_another_administrator(session, user_id=user_id)
    user = _lock(session, user_id)
    lesser = min(user.role, role, key=_RANKS.index)
    record_account(session, actor, Action.ACCOUNT_ROLE, user, before=user.role, role=role)
    user.role = role
    session.flush()
    sessions.change_role(replace(viewer_for(user), role=lesser))


@transaction(writes=True)
def _update_sessions(session: Session, *, sessions: SessionStore, user_id: int) -> None:
    sessions.change_role(viewer_for(_lock(session, user_id)))


def disable(stores: Stores, actor: Actor, *, user_id: int) -> None:
    """Disable an account and end its sessions. Its videos stay.

    :raises NotFound: there is no such account.
    :raises LastAdministrator: it is the only one.
    """

    def change(session: Session) -> bool:
        require_another_administrator(session, user_id=user_id)
        user = _lock(session, user_id)
        user.disabled_at = user.disabled_at or now()
        record_account(session, actor, Action.ACCOUNT_DISABLED, user)
        return True

    change_and_end_sessions(stores, change, user_id=user_id)


@transaction(writes=True)
def enable(session: Session, actor: Actor, *, user_id: int) -> None:
    """Enable a disabled account.

    :raises NotFound: there is no such account.
    """
    user = _lock(session, user_id)
    user.disabled_at = None
    record_account(session, actor, Action.ACCOUNT_ENABLED, user)


@transaction(writes=True)
def set_quota(session: Session, actor: Actor, *, user_id: int, quota: int | None) -> None:
    """Set how many bytes an account may store. What it has stays, even if it is more.

    :param quota: None is the default quota, `NO_QUOTA` no limit.
    :raises NotFound: there is no such account.
    """
    user = _lock(session, user_id)
    record_account(session, actor, Action.ACCOUNT_QUOTA, user, before=user.quota, quota=quota)
    user.quota = quota


def reset_password(
    stores: Stores,
    actor: Actor,
    *,
    user_id: int,
    password_hash: str,
    role: Role | None = None,
    enable: bool = False,
) -> None:
    """Give an account another password without the current one, and end all its sessions.

    :param role: the account's role from now on; None keeps the one it has.
    :param enable: otherwise a disabled account stays disabled.
    :raises NotFound: there is no such account.
    """

    def change(session: Session) -> bool:
        user = _lock(session, user_id)
        user.password_hash = password_hash
        record_account(session, actor, Action.ACCOUNT_NEW_PASSWORD, user)
        if role is not None and role is not user.role:
            record_account(session, actor, Action.ACCOUNT_ROLE, user, before=user.role, role=role)
            user.role = role
        if enable and user.disabled_at is not None:
            record_account(session, actor, Action.ACCOUNT_ENABLED, user)
            user.disabled_at = None
        return True

    change_and_end_sessions(stores, change, user_id=user_id)


def _lock(session: Session, user_id: int) -> User:
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound
    return user
