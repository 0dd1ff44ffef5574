"""Invitations: links with which people make accounts, whoever may join otherwise.

An invitation works while whoever made it is an administrator, so that one who is dismissed leaves
no door open. It never makes administrators.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session

from auth_service.accounts import insert_account, insert_account_until_done, require_available_name
from auth_service.groups import MEMBER_LIMIT, count_memberships
from auth_service.login import ClientInfo
from auth_service.new_passwords import hash_new_password
from auth_service.registration import NewAccount, begin_first_session
from auth_service.services import AuthServices
from auth_service.tokens import TOKEN_LIMIT, new_token
from auth_service.usernames import Username, parse_name
from common.audit import Action, Actor, record, require_signed_in
from common.errors import Conflict, NotFound, Unprocessable
from common.ids import is_id, new_id
from common.stores.sessions import token_hash
from common.titles import clean_line
from common.translation import gettext, gettext_noop
from db.engine import change_rows, transaction
from db.models import (
    LABEL_LIMIT,
    Group,
    GroupMember,
    GroupRole,
    Invitation,
    InvitationGroup,
    Role,
    User,
    now,
)

INVITATION_LIMIT = 200
"""Invitations that work at the same time."""
MAX_USES = 1000
"""Accounts that one invitation makes, at most."""
MAX_DAYS = 365
DEFAULT_DAYS = 14
ROLES = (Role.VIEWER, Role.UPLOADER)
"""The roles that an invitation can give."""


class InvitationNotFound(NotFound):
    """No invitation has this token, or it has expired, is used up or revoked."""

    sentence = gettext_noop(
        "This invitation does not work any more. Ask whoever sent it for a new one."
    )


class TooManyInvitations(Conflict):
    """There are as many invitations as there may be."""

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "There are %(limit)d invitations already. Revoke one that is not needed.",
                limit=INVITATION_LIMIT,
            )
        )


@dataclass(frozen=True)
class NewInvitation:
    """What an invitation is made of.

    :ivar max_uses: how many accounts it makes; None is no limit.
    :ivar days: for how many days it works; None is no limit.
    :ivar group_ids: of groups that its accounts join.
    """

    label: str = ""
    role: Role = Role.VIEWER
    max_uses: int | None = 1
    days: int | None = DEFAULT_DAYS
    group_ids: Sequence[str] = ()


@dataclass(frozen=True)
class InvitationView:
    """An invitation as administrators see it.

    :ivar made_by: the name of the administrator who made it.
    :ivar groups: the names of the groups that its accounts join.
    :ivar works: whether it still makes accounts.
    """

    invitation: Invitation
    made_by: str
    groups: list[str]
    works: bool


def _works(at: datetime) -> ColumnElement[bool]:
    """Return the condition that an invitation, joined with its maker, makes accounts."""
    return (
        Invitation.revoked_at.is_(None)
        & or_(Invitation.expires_at.is_(None), Invitation.expires_at > at)
        & or_(Invitation.max_uses.is_(None), Invitation.uses < Invitation.max_uses)
        & (User.role == Role.ADMIN)
        & User.disabled_at.is_(None)
    )


def _with_maker() -> Select[Invitation, str]:
    return select(Invitation, User.name).join(User, User.id == Invitation.created_by_id)


@transaction(writes=True)
def create_invitation(
    session: Session, actor: Actor, wanted: NewInvitation
) -> tuple[Invitation, str]:
    """Make an invitation; return it, and its token, which nobody is told again.

    :raises Unprocessable: a value is out of bounds, the role is none of :data:`ROLES`, or a group
        is not the actor's to add people to.
    :raises TooManyInvitations: :data:`INVITATION_LIMIT` work already.
    """
    viewer = require_signed_in(actor)
    label = _check(wanted)
    known = [group_id for group_id in wanted.group_ids if is_id(group_id)]
    groups = session.scalars(_joinable(viewer.id).where(Group.id.in_(known))).all()
    if {group.id for group in groups} != set(wanted.group_ids):
        raise Unprocessable(gettext("You can only invite to groups that you manage."))
    # The maker's row is locked, so that two requests do not both make the last one.
    session.execute(select(User.id).where(User.id == viewer.id).with_for_update())
    working = select(func.count()).select_from(Invitation).join(User).where(_works(now()))
    if (session.scalar(working) or 0) >= INVITATION_LIMIT:
        raise TooManyInvitations
    token, hashed = new_token()
    invitation = Invitation(
        id=new_id(),
        token_hash=hashed,
        label=label,
        role=wanted.role,
        max_uses=wanted.max_uses,
        created_by_id=viewer.id,
        expires_at=None if wanted.days is None else now() + timedelta(days=wanted.days),
    )
    session.add(invitation)
    session.flush()
    for group in groups:
        session.add(InvitationGroup(invitation_id=invitation.id, group_id=group.id))
    record(
        session,
        actor,
        Action.INVITATION_CREATED,
        object_id=invitation.id,
        label=label,
        role=wanted.role,
        max_uses=wanted.max_uses,
        expires_at=invitation.expires_at,
        groups=[group.name for group in groups],
    )
    return invitation, token


def _check(wanted: NewInvitation) -> str:
    """Return the cleaned label of an invitation that may be made."""
    label = clean_line(wanted.label)
    if len(label) > LABEL_LIMIT:
        raise Unprocessable(gettext("A label has %(limit)d characters at most.", limit=LABEL_LIMIT))
    if wanted.role not in ROLES:
        raise Unprocessable(
            gettext(
                "An invitation makes viewers and uploaders. Make somebody an administrator on the"
                " page “People”."
            )
        )
    if wanted.max_uses is not None and not 1 <= wanted.max_uses <= MAX_USES:
        raise Unprocessable(
            gettext("An invitation can be used from 1 to %(limit)d times.", limit=MAX_USES)
        )
    if wanted.days is not None and not 1 <= wanted.days <= MAX_DAYS:
        raise Unprocessable(gettext("An invitation works for 1 to %(limit)d days.", limit=MAX_DAYS))
    return label


def _joinable(user_id: int) -> Select[Group]:
    """Return the groups that an administrator may add people to: theirs, and those for everyone."""
    managed = select(GroupMember.group_id).where(
        GroupMember.user_id == user_id, GroupMember.role == GroupRole.MANAGER
    )
    return select(Group).where(or_(Group.for_everyone, Group.id.in_(managed))).order_by(Group.name)


@transaction(writes=False)
def joinable_groups(session: Session, user_id: int) -> Sequence[Group]:
    """Return the groups that an administrator may invite to, by name."""
    return session.scalars(_joinable(user_id)).all()


@transaction(writes=False)
def list_invitations(session: Session) -> list[InvitationView]:
    """Return the invitations that were not revoked: those that work first, then the newest."""
    working = _works(now())
    query = (
        _with_maker()
        .add_columns(working)
        .where(Invitation.revoked_at.is_(None))
        .order_by(working.desc(), Invitation.created_at.desc(), Invitation.id)
        .limit(2 * INVITATION_LIMIT)
    )
    rows = session.execute(query).all()
    names: dict[str, list[str]] = {}
    joined = (
        select(InvitationGroup.invitation_id, Group.name)
        .join(Group, Group.id == InvitationGroup.group_id)
        .where(InvitationGroup.invitation_id.in_([row[0].id for row in rows]))
        .order_by(Group.name)
    )
    for invitation_id, name in session.execute(joined):
        names.setdefault(invitation_id, []).append(name)
    return [
        InvitationView(invitation, made_by, names.get(invitation.id, []), bool(works))
        for invitation, made_by, works in rows
    ]


@transaction(writes=True)
def revoke_invitation(session: Session, actor: Actor, invitation_id: str) -> None:
    """Revoke an invitation: from the next request on it makes no account. Accounts it made stay.

    :raises NotFound: there is none, or it is revoked already.
    """
    if not is_id(invitation_id):
        raise NotFound
    invitation = session.get(Invitation, invitation_id, with_for_update=True)
    if invitation is None or invitation.revoked_at is not None:
        raise NotFound
    invitation.revoked_at = now()
    record(
        session,
        actor,
        Action.INVITATION_REVOKED,
        object_id=invitation_id,
        label=invitation.label,
        uses=invitation.uses,
    )


@transaction(writes=False)
def find_invitation(session: Session, token: str) -> tuple[Invitation, str]:
    """Return the invitation of a token, and the name of the administrator who made it.

    :raises InvitationNotFound: there is none that works.
    """
    if len(token) > TOKEN_LIMIT:
        raise InvitationNotFound
    wanted = _with_maker().where(Invitation.token_hash == token_hash(token), _works(now()))
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise InvitationNotFound
    return row


def accept_invitation(
    services: AuthServices, *, token: str, username: str, password: str, client: ClientInfo
) -> NewAccount:
    """Make an account with an invitation, and begin its first session.

    It raises what `auth_service.registration.register` does, but for `RegistrationClosed`.

    :raises InvitationNotFound: it does not work, or others have used it up meanwhile.
    """
    services.stores.sessions.ping()
    database = services.stores.database
    find_invitation(database, token)
    services.registrations.check(address=client.address)
    name = parse_name(username)
    require_available_name(database, name=name)
    actor = Actor(None, client.address, client.request_id)
    with services.registrations.counting(address=client.address):
        hashed = hash_new_password(services.passwords, password, username=name.display)
        user = insert_account_until_done(
            lambda: _insert_invited(
                database, actor=actor, token=token, name=name, password_hash=hashed
            )
        )
    return begin_first_session(services, user=user, client=client)


@transaction(writes=True)
def _insert_invited(
    session: Session, *, actor: Actor, token: str, name: Username, password_hash: str
) -> User:
    """Count one use of an invitation, make the account, and put it into the groups."""
    invitation, _ = find_invitation(session, token)
    _count_use(session, invitation.id)
    user = insert_account(
        session,
        actor=actor,
        name=name,
        password_hash=password_hash,
        join=lambda _session: invitation.role,
    )
    record(
        session,
        actor,
        Action.INVITATION_USED,
        object_id=invitation.id,
        name=user.name,
        user=user.id,
        label=invitation.label,
    )
    _join_groups(session, actor, invitation, user)
    return user


def _count_use(session: Session, invitation_id: str) -> None:
    """Count a use. The statement itself compares, so that simultaneous ones cannot exceed it.

    :raises InvitationNotFound: others have used it up.
    """
    free = or_(Invitation.max_uses.is_(None), Invitation.uses < Invitation.max_uses)
    statement = (
        update(Invitation)
        .where(Invitation.id == invitation_id, Invitation.revoked_at.is_(None), free)
        .values(uses=Invitation.uses + 1)
    )
    if change_rows(session, statement) != 1:
        raise InvitationNotFound


def _join_groups(session: Session, actor: Actor, invitation: Invitation, user: User) -> None:
    """Put a new account into the groups that the invitation's maker may still add people to.

    A group that is full stays as it is. No cached entry knows a new account yet.
    """
    chosen = select(InvitationGroup.group_id).where(InvitationGroup.invitation_id == invitation.id)
    joinable = _joinable(invitation.created_by_id).where(Group.id.in_(chosen))
    for group in session.scalars(joinable.with_for_update()).all():
        if count_memberships(session, GroupMember.group_id == group.id) >= MEMBER_LIMIT:
            continue
        session.add(GroupMember(group_id=group.id, user_id=user.id))
        details = {"user": user.name, "role": GroupRole.MEMBER}
        record(session, actor, Action.GROUP_MEMBER_ADDED, object_id=group.id, **details)
