"""Deleting an account, and the rule that an administrator always remains."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from auth_service.accounts import AccountChanged, change_and_end_sessions, record_account
from common.audit import Action, Actor
from common.errors import Conflict
from common.stores import Stores
from db.engine import transaction
from db.models import Role, User, Video

_TRIES = 3  # while videos arrive


class LastAdministrator(Conflict):
    """The change would leave the other accounts without an administrator."""

    sentence = "This is the only administrator. Make somebody else an administrator first."


def delete_account(stores: Stores, actor: Actor, *, user: User) -> None:
    """Delete an account with its videos, and end its sessions.

    The foreign key takes the owner from the videos; from then on nobody can watch them, and the
    janitor removes the files. The cached metadata of each is invalidated meanwhile.

    :param user: as it was when the password was checked.
    :raises LastAdministrator: there are other accounts, and none of them is an administrator.
    :raises AccountChanged: the password was changed since, or videos kept arriving. Nothing was
        deleted and no session has ended.
    """
    for _ in range(_TRIES):
        video_ids = _videos_of(stores.database, user.id)
        change = partial(_delete_row, actor=actor, user=user, invalidated=video_ids)
        with stores.videos.changing(video_ids):
            deleted = change_and_end_sessions(stores, change, user_id=user.id)
        if deleted:
            return
    raise AccountChanged


def _delete_row(session: Session, *, actor: Actor, user: User, invalidated: Sequence[str]) -> bool:
    """Delete the row, unless a video arrived whose metadata is not invalidated; tell whether."""
    require_another_administrator(session, user_id=user.id, leaving=True)
    current = session.scalar(select(User.password_hash).where(User.id == user.id).with_for_update())
    if current != user.password_hash:
        raise AccountChanged
    if not set(_videos_of(session, user.id)) <= set(invalidated):
        return False
    record_account(session, actor, Action.ACCOUNT_DELETED, user)
    session.execute(delete(User).where(User.id == user.id))
    return True


@transaction(writes=False)
def _videos_of(session: Session, user_id: int) -> list[str]:
    return list(session.scalars(select(Video.id).where(Video.owner_id == user_id)))


def require_another_administrator(session: Session, *, user_id: int, leaving: bool = False) -> None:
    """Refuse to remove the last enabled administrator.

    The administrators' rows stay locked until the end of the transaction, so that two cannot be
    removed at the same time, each because of the other.

    :param leaving: the account will be deleted, which is allowed if no other account is left.
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
