"""Deleting an account, and the rule that an administrator always remains."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import CompoundSelect, delete, or_, select, union
from sqlalchemy.orm import Session

from auth_service.accounts import AccountChanged, change_and_end_sessions, record_account
from auth_service.groups import leave_all
from common.audit import Action, Actor
from common.errors import Conflict
from common.stores import Stores
from common.translation import gettext_noop
from db.engine import transaction
from db.models import Collection, CollectionItem, Link, Role, User, Video

_TRIES = 3  # while videos arrive


class LastAdministrator(Conflict):
    """The change would leave the other accounts without an administrator."""

    sentence = gettext_noop(
        "This is the only administrator. Make somebody else an administrator first."
    )


def delete_account(stores: Stores, actor: Actor, *, user: User) -> None:
    """Delete an account with its videos, collections and links, and end its sessions.

    The foreign key takes the owner from the videos; from then on nobody can watch them, and the
    janitor removes the files. The cached metadata of each is invalidated meanwhile, and so is that
    of others' videos which the account's collections or links opened.

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
    leave_all(session, actor, user.id)
    record_account(session, actor, Action.ACCOUNT_DELETED, user)
    session.execute(delete(User).where(User.id == user.id))
    return True


@transaction(writes=False)
def _videos_of(session: Session, user_id: int) -> list[str]:
    """Return the videos that others may watch because of an account: by owner, or by its sharing.

    A collection shares with others what is in it; so does a link to one.
    """
    collections = select(Collection.id).where(Collection.owner_id == user_id)
    links = select(Link.collection_id).where(
        Link.created_by_id == user_id, Link.collection_id.is_not(None)
    )
    items = CollectionItem.collection_id
    found: CompoundSelect[str | None] = union(
        select(Video.id).where(Video.owner_id == user_id),
        select(CollectionItem.video_id).where(or_(items.in_(collections), items.in_(links))),
        select(Link.video_id).where(Link.created_by_id == user_id, Link.video_id.is_not(None)),
    )
    return [video_id for video_id in session.scalars(found) if video_id is not None]


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
