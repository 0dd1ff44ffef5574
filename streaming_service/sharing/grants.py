"""Grants: sharing a video or a collection with a person or a group."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from common.access import Viewer
from common.audit import Action, Actor, record, require_signed_in
from common.directory import find_group, find_subject, find_user
from common.errors import Conflict, NotFound
from common.formatting import iso_time
from common.ids import is_id, new_id
from common.stores.read_through import Mark
from common.translation import gettext, gettext_noop
from db.models import Grant, Group, Level, User, Video, now
from streaming_service.access_changes import changes_access
from streaming_service.sharing.objects import SharedObject, get_object_to_share, hold_back

GRANT_LIMIT = 500
"""Grants of one video or collection, at most."""


class AlreadyShared(Conflict):
    """There is a grant of this object to this subject."""

    sentence = gettext_noop("It is shared with them already. Change what they may do in the list.")


class OwnerNamed(Conflict):
    """A grant to the owner of what is shared."""

    sentence = gettext_noop("It is theirs already.")


class OwnRight(Conflict):
    """Somebody who may share what is another's wants to decide on their own level or expiry."""

    sentence = gettext_noop("What you may do yourself is for the owner to decide.")


class TooManyGrants(Conflict):
    """The object has as many grants as it may have."""

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "It is shared %(grant_limit)s times already. Make a group for more people.",
                grant_limit=GRANT_LIMIT,
            )
        )


@dataclass(frozen=True)
class NewGrant:
    """A grant to make, to exactly one of a user, a group, or whom a form's field names.

    :ivar user: a username.
    :ivar group: the id of a group.
    :ivar anyone: the name of either.
    :ivar expires_at: when it ends; None: never.
    """

    level: Level
    user: str | None = None
    group: str | None = None
    anyone: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class GrantView:
    """A grant, and the person or group that it is to."""

    grant: Grant
    subject: User | Group

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts; `group` is the group's id."""
        return {
            "id": self.grant.id,
            "user": self.subject.name if isinstance(self.subject, User) else None,
            "group": self.grant.group_id,
            "level": self.grant.level,
            "expires_at": iso_time(self.grant.expires_at),
        }


@changes_access
def create_grant(
    session: Session, mark: Mark, actor: Actor, what: SharedObject, new: NewGrant
) -> GrantView:
    """Share a video or a collection with a person or a group.

    A grant that has expired makes way.

    :raises NotFound: the object is not there, or not the actor's to share.
    :raises UnknownSubject: there is no such person or group.
    :raises AlreadyShared: there is a grant to them.
    :raises OwnerNamed: it is to the owner.
    :raises OwnRight: it is to the actor.
    :raises TooManyGrants: there are :data:`GRANT_LIMIT` of them.
    """
    viewer = require_signed_in(actor)
    shared = get_object_to_share(session, viewer, what)
    subject = _subject(session, viewer, new)
    hold_back(session, mark, what)
    if what.video_id is not None:  # so that two requests do not both share it; see `lock_items`
        session.execute(select(Video.id).where(Video.id == what.video_id).with_for_update())
    user_id = subject.id if isinstance(subject, User) else None
    group_id = subject.id if isinstance(subject, Group) else None
    if user_id is not None and user_id == shared.owner_id:
        raise OwnerNamed
    if user_id == viewer.id:
        raise OwnRight
    session.execute(delete(Grant).where(what.has(Grant), Grant.expires_at <= now()))
    same = (Grant.user_id == user_id) if group_id is None else (Grant.group_id == group_id)
    if session.scalar(select(Grant.id).where(what.has(Grant), same)) is not None:
        raise AlreadyShared
    if (session.scalar(select(func.count()).where(what.has(Grant))) or 0) >= GRANT_LIMIT:
        raise TooManyGrants
    grant = Grant(
        id=new_id(),
        video_id=what.video_id,
        collection_id=what.collection_id,
        user_id=user_id,
        group_id=group_id,
        level=new.level,
        expires_at=new.expires_at,
        granted_by_id=viewer.id,
    )
    session.add(grant)
    _record(session, actor, Action.GRANT_CREATED, grant, subject)
    return GrantView(grant, subject)


@changes_access
def change_grant(
    session: Session, mark: Mark, actor: Actor, grant_id: str, changes: dict[str, Any]
) -> GrantView:
    """Change the level or the expiry of a grant.

    :param changes: `level` (a :class:`Level`), `expires_at` (None: never), or both.
    :raises NotFound: there is none, or its object is not the actor's to share.
    :raises OwnRight: it is to the actor.
    """
    viewer = require_signed_in(actor)
    grant = _get(session, grant_id)
    get_object_to_share(session, viewer, SharedObject.of(grant))
    if grant.user_id == viewer.id:
        raise OwnRight
    subject = _lock(session, mark, grant)
    before = {"level": grant.level, "expires_at": grant.expires_at}
    for name, value in changes.items():
        setattr(grant, name, value)
    _record(session, actor, Action.GRANT_CHANGED, grant, subject, before=before)
    return GrantView(grant, subject)


@changes_access
def remove_grant(session: Session, mark: Mark, actor: Actor, grant_id: str) -> None:
    """Remove a grant. Its receiver may do that as well, but not for a whole group.

    :raises NotFound: there is none, or it is not the actor's to remove.
    """
    viewer = require_signed_in(actor)
    grant = _get(session, grant_id)
    if grant.user_id != viewer.id:
        get_object_to_share(session, viewer, SharedObject.of(grant))
    subject = _lock(session, mark, grant)
    session.delete(grant)
    _record(session, actor, Action.GRANT_REMOVED, grant, subject)


def _subject(session: Session, viewer: Viewer, new: NewGrant) -> User | Group:
    if new.user is not None:
        return find_user(session, new.user)
    if new.group is not None:
        return find_group(session, viewer, new.group)
    return find_subject(session, viewer, new.anyone or "")


def _get(session: Session, grant_id: str) -> Grant:
    grant = session.get(Grant, grant_id) if is_id(grant_id) else None
    if grant is None:
        raise NotFound
    return grant


def _lock(session: Session, mark: Mark, grant: Grant) -> User | Group:
    """Keep a grant and a group's members from being changed meanwhile; return whom it is to."""
    subject: User | Group | None
    if grant.user_id is not None:
        subject = session.get(User, grant.user_id)
    else:
        subject = session.get(Group, grant.group_id, with_for_update={"read": True})
    hold_back(session, mark, SharedObject.of(grant))
    locked = session.get(Grant, grant.id, with_for_update=True, populate_existing=True)
    if subject is None or locked is None:
        raise NotFound
    return subject


def _record(
    session: Session,
    actor: Actor,
    action: Action,
    grant: Grant,
    subject: User | Group,
    **details: object,
) -> None:
    is_user = isinstance(subject, User)
    record(
        session,
        actor,
        action,
        video_id=grant.video_id,
        object_id=grant.id,
        collection=grant.collection_id,
        user=subject.name if is_user else None,
        group=None if is_user else subject.name,
        level=grant.level,
        expires_at=grant.expires_at,
        **details,
    )
