"""Groups: people who are named together when something is shared.

A change of members changes who may watch. Such rules are marked with :func:`changes_members`, which
holds back the cached entries that the change concerns until it is committed.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session, aliased

from auth_service.accounts import find_account
from common.access import Viewer
from common.audit import Action, Actor, record, require_signed_in
from common.errors import Conflict, Forbidden, NotFound, Unprocessable
from common.ids import is_id, new_id
from common.names import name_key
from common.stores import Stores
from common.stores.read_through import Mark
from common.titles import clean_line
from common.translation import gettext, gettext_noop
from db.engine import transaction
from db.models import (
    LABEL_LIMIT,
    NAME_LIMIT,
    Collection,
    CollectionItem,
    Grant,
    Group,
    GroupMember,
    GroupRole,
    Level,
    User,
)

MEMBER_LIMIT = 1000
"""Members of a group, at most."""
MANAGED_LIMIT = 100
"""Groups that an account manages, at most."""


class LastManager(Conflict):
    """The change would leave a group without a manager."""

    sentence = gettext_noop(
        "A group needs a manager. Make another member a manager first, or delete the group."
    )


class TooManyGroups(Conflict):
    """The account manages as many groups as it may."""

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "You manage %(managed_limit)s groups already. Delete one that is not needed.",
                managed_limit=MANAGED_LIMIT,
            )
        )


class GroupFull(Conflict):
    """The group has as many members as it may have."""

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "A group has %(member_limit)s members at most. Make another group.",
                member_limit=MEMBER_LIMIT,
            )
        )


class UnknownMember(Unprocessable):
    """There is no such person."""

    sentence = gettext_noop("There is nobody with this name. Check how it is spelled.")


T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True)
class HeldBack:
    """Functions that hold back cached entries, by id: of accounts, and of videos."""

    accounts: Mark
    videos: Mark


@dataclass(frozen=True)
class GroupView:
    """A group as somebody sees it.

    :ivar role: the viewer's own; None: they are no member.
    :ivar may_manage: whether they may change it and its members.
    """

    group: Group
    member_count: int
    role: GroupRole | None
    may_manage: bool


@dataclass(frozen=True)
class Member:
    """A member of a group."""

    user: User
    role: GroupRole


def changes_members(
    rule: Callable[Concatenate[Session, HeldBack, P], T],
) -> Callable[Concatenate[Stores, P], T]:
    """Let a rule be called with the stores; it then runs in a transaction of its own.

    In it the rule tells :class:`HeldBack` which cached entries its change concerns. The first time
    that undoes the transaction, and the rule is run again while these are held back; see
    `common.stores.read_through.ReadThroughCache.change`.
    """

    @functools.wraps(rule)
    def run(stores: Stores, /, *args: P.args, **kwargs: P.kwargs) -> T:
        def change(held: HeldBack) -> T:
            return stores.database.write(lambda session: rule(session, held, *args, **kwargs))

        return stores.groups.change(
            lambda accounts: stores.videos.change(lambda videos: change(HeldBack(accounts, videos)))
        )

    return run


@transaction(writes=False)
def list_groups(session: Session, viewer: Viewer) -> list[GroupView]:
    """Return the groups that a viewer is a member of, and those for everyone, by name."""
    return _visible_groups(session, viewer)


@transaction(writes=False)
def get_group(session: Session, viewer: Viewer, group_id: str) -> GroupView:
    """Return a group that a viewer is a member of, or that is for everyone.

    :raises NotFound: there is none, or it is not theirs to see.
    """
    found = _visible_groups(session, viewer, Group.id == group_id) if is_id(group_id) else []
    if not found:
        raise NotFound
    return found[0]


@transaction(writes=False)
def get_group_and_members(
    session: Session, viewer: Viewer, group_id: str
) -> tuple[GroupView, list[Member] | None]:
    """Return a group and its members; None: they are for members, and for those who manage it.

    :raises NotFound: there is none, or it is not the viewer's to see.
    """
    view = get_group(session, viewer, group_id)
    may_see_members = view.role is not None or view.may_manage
    return view, _members_of(session, group_id) if may_see_members else None


def _visible_groups(
    session: Session, viewer: Viewer, *conditions: ColumnElement[bool]
) -> list[GroupView]:
    anybody = aliased(GroupMember)
    total = select(func.count()).where(anybody.group_id == Group.id).scalar_subquery()
    own = (GroupMember.group_id == Group.id) & (GroupMember.user_id == viewer.id)
    wanted = (
        select(Group, total, GroupMember.role)
        .outerjoin(GroupMember, own)
        .where(or_(GroupMember.user_id.is_not(None), Group.for_everyone), *conditions)
        .order_by(Group.name, Group.id)
    )
    return [
        GroupView(group, count, role, _may_manage(viewer, group, role))
        for group, count, role in session.execute(wanted)
    ]


def _members_of(session: Session, group_id: str) -> list[Member]:
    """Return the members of a group, managers first, by name."""
    wanted = (
        select(User, GroupMember.role)
        .join(GroupMember, GroupMember.user_id == User.id)
        .where(GroupMember.group_id == group_id)
        .order_by(GroupMember.role != GroupRole.MANAGER, User.name_key)
    )
    return [Member(user, role) for user, role in session.execute(wanted)]


@changes_members
def create_group(
    session: Session, held: HeldBack, actor: Actor, name: str, *, for_everyone: bool
) -> str:
    """Make a group, and return its id; its maker becomes its manager.

    :param name: 1 to 100 characters after cleaning.
    :param for_everyone: whether everyone may name it when they share something.
    :raises Forbidden: they may not upload, or not make groups for everyone.
    :raises Unprocessable: the name is empty or too long.
    :raises TooManyGroups: they manage :data:`MANAGED_LIMIT` groups.
    """
    viewer = require_signed_in(actor)
    if not viewer.may_upload:
        raise Forbidden(gettext("Groups are made by those who upload. Ask the administrator."))
    if for_everyone and not viewer.may_administer:
        raise Forbidden(gettext("Only administrators make groups for everyone."))
    group = Group(id=new_id(), name=_checked_name(name), for_everyone=for_everyone)
    # The row of the account is locked, so that its requests count one after the other.
    session.execute(select(User.id).where(User.id == viewer.id).with_for_update())
    managed = (GroupMember.user_id == viewer.id, GroupMember.role == GroupRole.MANAGER)
    if count_memberships(session, *managed) >= MANAGED_LIMIT:
        raise TooManyGroups
    held.accounts([str(viewer.id)])
    session.add(group)
    session.flush()
    session.add(GroupMember(group_id=group.id, user_id=viewer.id, role=GroupRole.MANAGER))
    record(
        session,
        actor,
        Action.GROUP_CREATED,
        object_id=group.id,
        name=group.name,
        for_everyone=for_everyone,
    )
    return group.id


@transaction(writes=True)
def rename_group(session: Session, actor: Actor, group_id: str, name: str) -> None:
    """Give a group another name.

    :raises NotFound: there is none, or it is not the actor's to manage.
    :raises Unprocessable: the name is empty or too long.
    """
    group = _get_to_manage(session, actor, group_id)
    before, group.name = group.name, _checked_name(name)
    details = {"before": before, "name": group.name}
    record(session, actor, Action.GROUP_CHANGED, object_id=group_id, **details)


@changes_members
def delete_group(session: Session, held: HeldBack, actor: Actor, group_id: str) -> None:
    """Delete a group. What was shared with it is not shared with its members any more.

    :raises NotFound: there is none, or it is not the actor's to manage.
    """
    group = _get_to_manage(session, actor, group_id)
    members = [member.user for member in _members_of(session, group_id)]
    held.accounts(str(user.id) for user in members)
    held.videos(_videos_shared_with(session, group_id))
    session.execute(delete(Group).where(Group.id == group_id))
    record(
        session,
        actor,
        Action.GROUP_DELETED,
        object_id=group_id,
        name=group.name,
        members=[user.name for user in members],
    )


@changes_members
def set_member(
    session: Session,
    held: HeldBack,
    actor: Actor,
    group_id: str,
    name: str,
    role: GroupRole | None = None,
) -> None:
    """Add somebody to a group, or change their role in it.

    :param name: compared as logins do.
    :param role: None: a new member is a member, and one who is there keeps their role.
    :raises NotFound: there is no group, or it is not the actor's to manage.
    :raises UnknownMember: there is no such person, or their account is disabled.
    :raises LastManager: they are the only manager, and would not be one any more.
    :raises GroupFull: the group has :data:`MEMBER_LIMIT` members.
    """
    _get_to_manage(session, actor, group_id)
    user = _find_user(session, name)
    if user is None or user.disabled_at is not None:
        raise UnknownMember
    found = session.get(GroupMember, (group_id, user.id), populate_existing=True)
    if found is not None:
        _change_role(session, actor, found, user, role or found.role)
        return
    if count_memberships(session, GroupMember.group_id == group_id) >= MEMBER_LIMIT:
        raise GroupFull
    _hold_back_member(session, group_id, user.id, held)
    role = role or GroupRole.MEMBER
    session.add(GroupMember(group_id=group_id, user_id=user.id, role=role))
    details = {"user": user.name, "role": role}
    record(session, actor, Action.GROUP_MEMBER_ADDED, object_id=group_id, **details)


@transaction(writes=True)
def change_member_role(
    session: Session, actor: Actor, group_id: str, user_id: int, role: GroupRole
) -> None:
    """Change somebody's role in a group.

    :raises NotFound: there is no group, it is not the actor's to manage, or they are no member.
    :raises LastManager: they are the only manager, and would not be one any more.
    """
    _get_to_manage(session, actor, group_id)
    member, user = _get_member(session, group_id, user_id)
    _change_role(session, actor, member, user, role)


@changes_members
def remove_member(
    session: Session, held: HeldBack, actor: Actor, group_id: str, user_id: int
) -> None:
    """Take somebody out of a group. Everyone may leave.

    :raises NotFound: there is no group, it is not the actor's to manage, or they are no member.
    :raises LastManager: they are the only manager.
    """
    viewer = require_signed_in(actor)
    if user_id == viewer.id:
        _lock(session, group_id)
    else:
        _get_to_manage(session, actor, group_id)
    member, user = _get_member(session, group_id, user_id)
    _require_other_manager(session, member)
    _hold_back_member(session, group_id, user_id, held)
    session.delete(member)
    record(session, actor, Action.GROUP_MEMBER_REMOVED, object_id=group_id, user=user.name)


@transaction(writes=False)
def find_member(session: Session, name: str) -> int:
    """Return the id of the account with a name, disabled or not.

    :raises NotFound: there is none.
    """
    user = _find_user(session, name)
    if user is None:
        raise NotFound
    return user.id


def count_memberships(session: Session, *conditions: ColumnElement[bool]) -> int:
    """Return how many memberships meet all conditions."""
    return session.scalar(select(func.count(GroupMember.user_id)).where(*conditions)) or 0


def leave_all(session: Session, actor: Actor, user_id: int) -> None:
    """Prepare the groups of an account for its deletion, so that none is left without a manager.

    Where it is the only manager, the member who joined first becomes one. A group without other
    members is deleted.
    """
    mine = select(GroupMember.group_id).where(GroupMember.user_id == user_id)
    groups = session.scalars(
        select(Group.id).where(Group.id.in_(mine)).order_by(Group.id).with_for_update()
    ).all()
    for group_id in groups:
        others = session.scalars(
            select(GroupMember)
            .where(GroupMember.group_id == group_id, GroupMember.user_id != user_id)
            .order_by(GroupMember.created_at, GroupMember.user_id)
        ).all()
        if not others:
            session.execute(delete(Group).where(Group.id == group_id))
            record(session, actor, Action.GROUP_DELETED, object_id=group_id)
        elif all(other.role is not GroupRole.MANAGER for other in others):
            user = session.get_one(User, others[0].user_id)
            _change_role(session, actor, others[0], user, GroupRole.MANAGER)
    session.flush()


def _checked_name(name: str) -> str:
    name = clean_line(name)
    if not 1 <= len(name) <= LABEL_LIMIT:
        raise Unprocessable(
            gettext(
                "The name of a group has 1 to %(label_limit)s characters.", label_limit=LABEL_LIMIT
            )
        )
    return name


def _may_manage(viewer: Viewer, group: Group, role: GroupRole | None) -> bool:
    """Tell whether a viewer may change a group; administrators may those for everyone."""
    return role is GroupRole.MANAGER or (group.for_everyone and viewer.may_administer)


def _lock(session: Session, group_id: str) -> None:
    """Keep others from changing a group and its members, and from sharing something with it."""
    session.execute(select(Group.id).where(Group.id == group_id).with_for_update())


def _get_to_manage(session: Session, actor: Actor, group_id: str) -> Group:
    viewer = require_signed_in(actor)
    _lock(session, group_id)
    view = get_group(session, viewer, group_id)
    if not view.may_manage:
        raise NotFound
    return view.group


def _get_member(session: Session, group_id: str, user_id: int) -> tuple[GroupMember, User]:
    member = session.get(GroupMember, (group_id, user_id), populate_existing=True)
    user = session.get(User, user_id)
    if member is None or user is None:
        raise NotFound
    return member, user


def _find_user(session: Session, name: str) -> User | None:
    key = name_key(name)
    may_be_name = key.isprintable() and len(key) <= 3 * NAME_LIMIT
    return find_account(session, key=key) if may_be_name else None


def _change_role(
    session: Session, actor: Actor, member: GroupMember, user: User, role: GroupRole
) -> None:
    if role is member.role:
        return
    if role is not GroupRole.MANAGER:
        _require_other_manager(session, member)
    member.role = role
    details = {"user": user.name, "role": role}
    record(session, actor, Action.GROUP_MEMBER_CHANGED, object_id=member.group_id, **details)


def _require_other_manager(session: Session, member: GroupMember) -> None:
    """Refuse to lose the last manager. The group's row is locked, so that two cannot go at once."""
    if member.role is not GroupRole.MANAGER:
        return
    others = select(GroupMember.user_id).where(
        GroupMember.group_id == member.group_id,
        GroupMember.user_id != member.user_id,
        GroupMember.role == GroupRole.MANAGER,
    )
    if session.scalar(others.limit(1)) is None:
        raise LastManager


def _hold_back_member(session: Session, group_id: str, user_id: int, held: HeldBack) -> None:
    """Hold back what depends on whether somebody is a member of a group.

    That is their own entry, and the videos in their collections that they may pass on because of
    a grant to the group. The locks keep them from making collections, and others from changing
    what is in these, until the commit.
    """
    session.execute(select(User.id).where(User.id == user_id).with_for_update())
    theirs = select(Collection.id).where(Collection.owner_id == user_id)
    collections = session.scalars(theirs.with_for_update(read=True)).all()
    passed_on = (
        select(CollectionItem.video_id)
        .join(Grant, Grant.video_id == CollectionItem.video_id)
        .where(
            CollectionItem.collection_id.in_(collections),
            Grant.group_id == group_id,
            Grant.level == Level.SHARE,
        )
    )
    held.accounts([str(user_id)])
    held.videos(session.scalars(passed_on))


def _videos_shared_with(session: Session, group_id: str) -> Sequence[str]:
    """Return the videos that grants to a group reach, directly or through a collection."""
    shared = select(Grant.collection_id).where(
        Grant.group_id == group_id, Grant.collection_id.is_not(None)
    )
    locked = select(Collection.id).where(Collection.id.in_(shared)).with_for_update(read=True)
    collections = session.scalars(locked).all()
    direct = select(Grant.video_id).where(Grant.group_id == group_id, Grant.video_id.is_not(None))
    through = select(CollectionItem.video_id).where(CollectionItem.collection_id.in_(collections))
    return [*(video for video in session.scalars(direct) if video), *session.scalars(through)]
