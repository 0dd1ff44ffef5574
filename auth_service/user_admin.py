"""What an administrator can do with other people's accounts."""

from dataclasses import dataclass, replace
from typing import TypedDict

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth_service.account_deletion import delete_account, require_another_administrator
from auth_service.accounts import (
    NameTaken,
    change_and_end_sessions,
    drop_password_link,
    record_account,
    require_available_name,
    viewer_for,
)
from auth_service.usernames import Username
from common.audit import Action, Actor, require_signed_in
from common.errors import Conflict, NotFound, Unprocessable
from common.names import name_key
from common.quota import StorageUse, users_with_storage_use
from common.stores import Stores
from common.translation import gettext
from db.engine import transaction
from db.models import Role, User, now

PAGE = 50
"""Accounts of a page of the list."""
_RANKS = list(Role)  # each role includes the ones before it


class UserFields(TypedDict, total=False):
    """What of an account is changed; what is missing stays.

    `quota` is bytes, None for the default quota, or `NO_QUOTA`.
    """

    name: Username
    role: Role
    quota: int | None
    disabled: bool


@dataclass(frozen=True)
class UserPage:
    """A page of the list of accounts.

    :ivar users: each with what it stores.
    :ivar total: how many accounts are found in all.
    :ivar next: the key after which the next page begins; None: this is the last.
    """

    users: list[tuple[User, StorageUse]]
    total: int
    next: str | None


@transaction(writes=False)
def list_users(session: Session, *, default_quota: int | None, search: str, after: str) -> UserPage:
    """Return a page of the accounts by name.

    :param search: a part of the name, compared as logins do.
    :param after: `next` of the page before; empty: this is the first.
    """
    found = [User.name_key.contains(name_key(search.strip()), autoescape=True)] if search else []
    total = session.scalars(select(func.count(User.id)).where(*found)).one()
    wanted = select(User.id, User.name_key).where(*found).order_by(User.name_key).limit(PAGE + 1)
    if after:
        wanted = wanted.where(User.name_key > after)
    rows = session.execute(wanted).all()
    ids = [user_id for user_id, _ in rows[:PAGE]]
    users = users_with_storage_use(session, default_quota=default_quota, user_ids=ids)
    users.sort(key=lambda entry: ids.index(entry[0].id))
    return UserPage(users, total, rows[PAGE - 1].name_key if len(rows) > PAGE else None)


def get_user(stores: Stores, user_id: int) -> tuple[User, StorageUse]:
    """Return an account with what it stores.

    :raises NotFound: there is none.
    """
    default = stores.site.current().quota
    found = users_with_storage_use(stores.database, default_quota=default, user_ids=[user_id])
    if not found:
        raise NotFound
    return found[0]


def change_user(stores: Stores, actor: Actor, *, user_id: int, fields: UserFields) -> None:
    """Change an account; its sessions have its name and role at once, or end if it is disabled.

    They get the lesser of the old and the new role before the commit, so that whatever fails after
    it, no session may do more than its account. Then they get the role that the row has. It is
    locked meanwhile, so that of two simultaneous changes the one committed last counts.

    :raises NotFound: there is no such account.
    :raises LastAdministrator: it is the only one, and would not be one any more.
    :raises NameTaken: another account has the name.
    """
    try:
        _change(stores.database, actor, stores=stores, user_id=user_id, fields=fields)
    except IntegrityError as error:  # another account took the name at this moment
        raise NameTaken from error
    _update_sessions(stores.database, stores=stores, user_id=user_id)


@transaction(writes=True)
def _change(
    session: Session, actor: Actor, *, stores: Stores, user_id: int, fields: UserFields
) -> None:
    leaves = fields.get("disabled", False) or fields.get("role", Role.ADMIN) is not Role.ADMIN
    if leaves:
        require_another_administrator(session, user_id=user_id)
    user = _lock(session, user_id)
    lesser = min(user.role, fields.get("role", user.role), key=_RANKS.index)
    if "name" in fields:
        _rename(session, actor, user, fields["name"])
    if "role" in fields:
        _set_role(session, actor, user, fields["role"])
    if "quota" in fields and fields["quota"] != user.quota:
        quota = fields["quota"]
        record_account(session, actor, Action.ACCOUNT_QUOTA, user, before=user.quota, quota=quota)
        user.quota = quota
    if "disabled" in fields:
        _set_disabled(session, actor, user, disabled=fields["disabled"])
    session.flush()
    stores.sessions.change_role(replace(viewer_for(user), role=lesser))
    if user.disabled_at is not None:
        stores.sessions.end_all(user_id)


def _rename(session: Session, actor: Actor, user: User, name: Username) -> None:
    if name.display == user.name:
        return
    require_available_name(session, name=name, own=user.id)
    record_account(session, actor, Action.ACCOUNT_RENAMED, user, new_name=name.display)
    user.name, user.name_key = name.display, name.key


def _set_role(session: Session, actor: Actor, user: User, role: Role) -> None:
    if role is not user.role:
        record_account(session, actor, Action.ACCOUNT_ROLE, user, before=user.role, role=role)
        user.role = role


def _set_disabled(session: Session, actor: Actor, user: User, *, disabled: bool) -> None:
    if disabled == (user.disabled_at is not None):
        return
    user.disabled_at = now() if disabled else None
    action = Action.ACCOUNT_DISABLED if disabled else Action.ACCOUNT_ENABLED
    record_account(session, actor, action, user)
    if disabled:
        drop_password_link(session, user.id)


@transaction(writes=True)
def _update_sessions(session: Session, *, stores: Stores, user_id: int) -> None:
    user = _lock(session, user_id)
    stores.sessions.change_role(viewer_for(user))
    if user.disabled_at is not None:
        stores.sessions.end_all(user_id)


def delete_user(
    stores: Stores, actor: Actor, *, user_id: int, confirmation: str | None = None
) -> None:
    """Delete somebody's account with its videos.

    :param confirmation: the name of the account, typed again; None: it was not asked for.
    :raises NotFound: there is no such account.
    :raises Conflict: it is the actor's own.
    :raises Unprocessable: the confirmation is another name.
    :raises LastAdministrator: it is the only one.
    """
    if user_id == require_signed_in(actor).id:
        raise Conflict(gettext("Delete your own account on your account page."))
    user = stores.database.read(lambda session: session.get(User, user_id))
    if user is None:
        raise NotFound
    if confirmation is not None and name_key(confirmation) != user.name_key:
        raise Unprocessable(
            gettext("That is not the name of this account, so nothing was deleted.")
        )
    delete_account(stores, actor, user=user)


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
        drop_password_link(session, user_id)
        record_account(session, actor, Action.ACCOUNT_NEW_PASSWORD, user)
        if role is not None:
            _set_role(session, actor, user, role)
        if enable:
            _set_disabled(session, actor, user, disabled=False)
        return True

    change_and_end_sessions(stores, change, user_id=user_id)


def _lock(session: Session, user_id: int) -> User:
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound
    return user
