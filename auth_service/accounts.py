"""Accounts: making one, finding one, changing its password.

Functions that take a session are rules, run inside a transaction. Those that take the database or
the stores decide how a transaction goes together with what is outside of it.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth_service.names import Name
from common.access import Viewer
from common.errors import Conflict, Forbidden
from common.stores import Stores
from db.engine import Database
from db.models import Role, User, Video

T = TypeVar("T")

_TRIES = 3  # of an insert that another one got in the way of


class NameTaken(Conflict):
    """Somebody has this name, or one that is the same to the eye."""

    def __init__(self) -> None:
        super().__init__("That name is taken. Choose another.")


class RegistrationClosed(Forbidden):
    """Accounts are made by an administrator here."""

    def __init__(self) -> None:
        super().__init__("Registration is closed. Ask whoever runs this site for an account.")


class ChangedMeanwhile(Conflict):
    """The account was changed from elsewhere while this request was under way."""

    def __init__(self) -> None:
        super().__init__("The account was changed from elsewhere just now. Try again.")


def viewer_for(user: User) -> Viewer:
    """Return the account as a session carries it."""
    return Viewer(id=user.id, name=user.name, role=user.role)


def nobody_is_here(session: Session) -> bool:
    """Tell whether there is no account yet, so that the next one is the administrator's."""
    return session.scalar(select(User.id).limit(1)) is None


def find_account(session: Session, *, key: str) -> User | None:
    """Return the account of a name's key."""
    return session.scalar(select(User).where(User.name_key == key))


def require_open_name(session: Session, *, name: Name, registration_open: bool) -> None:
    """Refuse early, before a password is hashed, what :func:`open_account` would refuse.

    :raises RegistrationClosed: and this would not be the first account.
    :raises NameTaken: somebody has it.
    """
    if not registration_open and not nobody_is_here(session):
        raise RegistrationClosed
    if find_account(session, key=name.key) is not None:
        raise NameTaken


def open_account(
    database: Database, *, name: Name, password_hash: str, role: Role, registration_open: bool
) -> User:
    """Make an account. The first of all becomes the administrator, whatever role was asked for.

    Unique columns decide between simultaneous calls: one gets the name, one the first place. The
    others look again, and find the name taken or somebody there.

    :param registration_open: if not, only the first account of all can be made.
    :raises NameTaken: somebody has it.
    :raises RegistrationClosed: and this is not the first account.
    """

    def insert(session: Session) -> User:
        first = _lock_first(session) is None
        if not first:
            require_open_name(session, name=name, registration_open=registration_open)
        user = User(
            name=name.shown,
            name_key=name.key,
            password_hash=password_hash,
            role=Role.ADMIN if first else role,
            is_first_account=True if first else None,
        )
        session.add(user)
        session.flush()
        return user

    for _ in range(_TRIES):
        try:
            return database.write(insert)
        except IntegrityError:
            continue
    raise NameTaken


def _lock_first(session: Session) -> int | None:
    """Keep the oldest account from leaving, so that nobody arrives just as the last one goes."""
    return session.scalar(select(User.id).order_by(User.id).limit(1).with_for_update(read=True))


def replace_hash(session: Session, *, user_id: int, old: str, new: str) -> bool:
    """Store another hash in the place of one; tell whether the old one was still there."""
    same = (User.id == user_id, User.password_hash == old)
    user = session.scalar(select(User).where(*same).with_for_update())
    if user is None:
        return False
    user.password_hash = new
    return True


def change_and_end_sessions(
    stores: Stores, change: Callable[[Session], T], *, user_id: int, but: str | None = None
) -> T:
    """Run a change after which a user's sessions must be dead, and end them.

    They end before the commit, so that nothing is changed while the session store is away; and
    again after it, for those that began in between.

    :param but: the token of the one session that stays.
    """

    def work(session: Session) -> T:
        result = change(session)
        session.flush()
        stores.sessions.end_all(user_id, but=but)
        return result

    result = stores.database.write(work)
    stores.sessions.end_all(user_id, but=but)
    return result


def change_password(stores: Stores, *, user: User, new_hash: str, token: str | None) -> None:
    """Give an account another password, and end every session but the one of this token.

    :param user: as it was when the present password was checked.
    :raises ChangedMeanwhile: it has had another password since.
    """

    def change(session: Session) -> None:
        if not replace_hash(session, user_id=user.id, old=user.password_hash, new=new_hash):
            raise ChangedMeanwhile

    change_and_end_sessions(stores, change, user_id=user.id, but=token)


def count_videos(session: Session, *, owner_id: int) -> int:
    """Return how many videos an account has."""
    mine = (Video.owner_id == owner_id, Video.deleted_at.is_(None))
    return session.scalar(select(func.count()).select_from(Video).where(*mine)) or 0
