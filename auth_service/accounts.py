"""Accounts: creating one, finding one, changing its password.

Rules marked with `transaction` take a session or the database. Those that take the stores also end
sessions, and decide in which order that happens.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth_service.new_passwords import hash_new_password
from auth_service.usernames import Username
from common.access import Viewer
from common.audit import Action, Actor, record
from common.errors import Conflict
from common.passwords import Passwords
from common.stores import Stores
from common.stores.sessions import SessionStore
from common.translation import gettext, gettext_noop
from db.engine import Database, transaction
from db.models import PasswordLink, Role, User

T = TypeVar("T")

_TRIES = 3  # of an insert that lost to another one


class NameTaken(Conflict):
    """Another account has this name, or one that looks the same."""

    sentence = gettext_noop("That name is taken. Choose another.")


class AccountChanged(Conflict):
    """The account was changed by another request while this one was under way.

    :param advice: what to do now, a sentence.
    """

    def __init__(self, advice: str = "") -> None:
        super().__init__(
            gettext(
                "The account was changed from elsewhere just now. %(advice)s",
                advice=advice or gettext("Try again."),
            )
        )


def viewer_for(user: User) -> Viewer:
    """Return the account as a session stores it."""
    return Viewer(id=user.id, name=user.name, role=user.role, language=user.language)


@transaction(writes=False)
def has_no_accounts(session: Session) -> bool:
    """Tell whether there is no account yet; the first one becomes the administrator."""
    return session.scalar(select(User.id).limit(1)) is None


@transaction(writes=False)
def find_account(session: Session, *, key: str) -> User | None:
    """Return the account with this username key."""
    return session.scalar(select(User).where(User.name_key == key))


@transaction(writes=False)
def require_available_name(session: Session, *, name: Username, own: int | None = None) -> None:
    """Check that a name is free.

    :param own: the account that may have it already: the one that is renamed.
    :raises NameTaken: another account has the name.
    """
    found = find_account(session, key=name.key)
    if found is not None and found.id != own:
        raise NameTaken


Join = Callable[[Session], Role]
"""Decides in the transaction that makes an account which role it has, or raises why it may not.

It is not asked about the first account of all, which can always be made.
"""


def create_account(
    database: Database,
    passwords: Passwords,
    *,
    actor: Actor,
    name: Username,
    password: str,
    join: Join,
) -> User:
    """Create an account. The first of all becomes the administrator, whatever role was asked for.

    :raises InvalidPassword: too short or too long.
    :raises WeakPassword: easy to guess.
    :raises NameTaken: another account has the name.
    """
    hashed = hash_new_password(passwords, password, username=name.display)
    return insert_account_until_done(
        lambda: insert_account(database, actor=actor, name=name, password_hash=hashed, join=join)
    )


def insert_account_until_done(insert: Callable[[], User]) -> User:
    """Run :func:`insert_account` again where it lost to a simultaneous one.

    Unique columns decide between simultaneous calls: one gets the name, one the first place. The
    others try again, and then find the name taken or an account there.

    :raises NameTaken: another account has the name.
    """
    for _ in range(_TRIES):
        with suppress(IntegrityError):
            return insert()
    raise NameTaken


@transaction(writes=True)
def insert_account(
    session: Session, *, actor: Actor, name: Username, password_hash: str, join: Join
) -> User:
    """Insert an account's row; see :func:`insert_account_until_done`.

    :raises NameTaken: another account has the name.
    :raises sqlalchemy.exc.IntegrityError: a simultaneous call came first.
    """
    is_first = _lock_first(session) is None
    role = Role.ADMIN if is_first else join(session)
    require_available_name(session, name=name)
    user = User(
        name=name.display,
        name_key=name.key,
        password_hash=password_hash,
        role=role,
        is_first_account=True if is_first else None,
    )
    session.add(user)
    session.flush()
    record_account(session, actor, Action.ACCOUNT_CREATED, user, role=user.role)
    return user


def record_account(
    session: Session, actor: Actor, action: Action, user: User, **details: object
) -> None:
    """Add an entry about an account to the audit log."""
    of_account = {"name": user.name, **details}
    record(session, actor, action, video_id=None, object_id=str(user.id), **of_account)


def _lock_first(session: Session) -> int | None:
    """Lock the oldest account, so that it cannot be deleted while another is created."""
    return session.scalar(select(User.id).order_by(User.id).limit(1).with_for_update(read=True))


@transaction(writes=True)
def replace_hash(session: Session, *, user_id: int, old: str, new: str) -> bool:
    """Replace a password hash if it is still the old one; tell whether it was."""
    same = (User.id == user_id, User.password_hash == old)
    user = session.scalar(select(User).where(*same).with_for_update())
    if user is None:
        return False
    user.password_hash = new
    return True


def drop_password_link(session: Session, user_id: int) -> None:
    """Take away the password link of an account (`auth_service.password_links`), if it has one."""
    session.execute(delete(PasswordLink).where(PasswordLink.user_id == user_id))


def change_and_end_sessions(
    stores: Stores, change: Callable[[Session], T], *, user_id: int, but: str | None = None
) -> T:
    """Run a change after which a user's sessions must be gone, and end them.

    They end before the commit, so that nothing is changed while the session store is unavailable;
    and again after it, for those that began in between.

    :param change: returns something false if it changed nothing; then no session ends.
    :param but: the token of the one session that stays.
    :returns: what `change` returned.
    """

    def change_then_end(session: Session) -> T:
        changed = change(session)
        session.flush()
        if changed:
            stores.sessions.end_all(user_id, but=but)
        return changed

    changed = stores.database.write(change_then_end)
    if changed:
        stores.sessions.end_all(user_id, but=but)
    return changed


def change_password(
    stores: Stores, actor: Actor, *, user: User, new_hash: str, token: str | None
) -> None:
    """Give an account another password, and end every session but the one of this token.

    :param user: as it was when the current password was checked.
    :raises AccountChanged: its password has been changed since.
    """

    def change(session: Session) -> bool:
        if not replace_hash(session, user_id=user.id, old=user.password_hash, new=new_hash):
            return False
        drop_password_link(session, user.id)
        record_account(session, actor, Action.ACCOUNT_NEW_PASSWORD, user)
        return True

    if not change_and_end_sessions(stores, change, user_id=user.id, but=token):
        raise AccountChanged


@transaction(writes=True)
def change_language(
    session: Session, sessions: SessionStore, *, user_id: int, language: str | None
) -> None:
    """Set the language of an account's pages; None is that of the browser."""
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        return
    user.language = language
    session.flush()
    # While the row is locked: later, the role that was read here may not be the account's any more.
    sessions.change_role(viewer_for(user))
