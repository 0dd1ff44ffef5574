"""Closing an account, and the rule that people are never left without an administrator."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from auth_service.accounts import ChangedMeanwhile, change_and_end_sessions
from common.errors import Conflict
from common.stores import Stores
from db.models import Role, User, Video

_TRIES = 3  # while videos arrive


class LastAdministrator(Conflict):
    """What was asked would leave people without an administrator."""

    def __init__(self) -> None:
        super().__init__(
            "This is the only administrator. Make somebody else an administrator first."
        )


def close_account(stores: Stores, *, user: User) -> None:
    """Delete an account with its videos, and end its sessions.

    The foreign key takes the owner from the videos; from then on nobody can watch them, and the
    janitor removes the bytes. The cached metadata of each is held back meanwhile.

    :param user: as it was when the password was checked.
    :raises LastAdministrator: others have accounts, and none of them administers.
    :raises ChangedMeanwhile: the password was changed since, or videos kept arriving.
    """
    for _ in range(_TRIES):
        held = stores.database.read(lambda session: _videos_of(session, user.id))
        close = partial(_close, user=user, held=held)
        with stores.videos.changing(held):
            closed = change_and_end_sessions(stores, close, user_id=user.id)
        if closed:
            return
    raise ChangedMeanwhile


def _close(session: Session, *, user: User, held: Sequence[str]) -> bool:
    """Delete the row unless a video arrived whose metadata is not held back; tell whether."""
    require_another_administrator(session, user_id=user.id, leaving=True)
    current = session.scalar(select(User.password_hash).where(User.id == user.id).with_for_update())
    if current != user.password_hash:
        raise ChangedMeanwhile
    if not set(_videos_of(session, user.id)) <= set(held):
        return False
    session.execute(delete(User).where(User.id == user.id))
    return True


def _videos_of(session: Session, user_id: int) -> list[str]:
    return list(session.scalars(select(Video.id).where(Video.owner_id == user_id)))


def require_another_administrator(session: Session, *, user_id: int, leaving: bool = False) -> None:
    """Refuse to take the last active administrator away.

    The administrators' rows stay locked until the end of the transaction, so that two cannot go at
    the same time, each counting on the other.

    :param leaving: the account will be gone, which is fine if nobody is left behind.
    :raises LastAdministrator: there is no other.
    """
    active = (User.role == Role.ADMIN, User.disabled_at.is_(None))
    found = session.scalars(select(User.id).where(*active).order_by(User.id).with_for_update())
    administrators = set(found)
    if administrators != {user_id}:
        return
    others = session.scalar(select(User.id).where(User.id != user_id).limit(1))
    if not leaving or others is not None:
        raise LastAdministrator
