"""One-time password links: an administrator makes one, and its person sets a new password with it.

A link works once, for a day, while its maker is an administrator and its account is not disabled.
Any new password of the account takes it away.
"""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, aliased

from auth_service.accounts import change_and_end_sessions, drop_password_link, record_account
from auth_service.login import ClientInfo, begin_session
from auth_service.new_passwords import hash_new_password
from auth_service.services import AuthServices
from auth_service.tokens import TOKEN_LIMIT, new_token
from common.audit import Action, Actor, require_signed_in
from common.errors import Conflict, NotFound
from common.stores.sessions import token_hash
from common.translation import gettext, gettext_noop
from db.engine import change_rows, transaction
from db.models import PasswordLink, Role, User, now

LIFETIME = timedelta(hours=24)


class PasswordLinkNotFound(NotFound):
    """No password link has this token, or it was used, replaced or has expired."""

    sentence = gettext_noop(
        "This link does not work any more. Ask your administrator for a new one."
    )


@transaction(writes=True)
def create_password_link(session: Session, actor: Actor, *, user_id: int) -> str:
    """Make a link for an account, in place of the one it has; return its token.

    :raises NotFound: there is no such account.
    :raises Conflict: it is the actor's own, or disabled.
    """
    viewer = require_signed_in(actor)
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound
    if user_id == viewer.id:
        raise Conflict(gettext("Change your own password on your account page."))
    if user.disabled_at is not None:
        raise Conflict(gettext("This account is disabled. Enable it first."))
    drop_password_link(session, user_id)
    token, hashed = new_token()
    link = PasswordLink(
        user_id=user_id,
        token_hash=hashed,
        created_by_id=viewer.id,
        expires_at=now() + LIFETIME,
    )
    session.add(link)
    record_account(session, actor, Action.ACCOUNT_PASSWORD_LINK, user)
    return token


@transaction(writes=False)
def find_password_link(session: Session, token: str) -> User:
    """Return the account whose password a token may set.

    :raises PasswordLinkNotFound: there is none.
    """
    if len(token) > TOKEN_LIMIT:
        raise PasswordLinkNotFound
    maker = aliased(User)
    wanted = (
        select(User)
        .join(PasswordLink, PasswordLink.user_id == User.id)
        .join(maker, maker.id == PasswordLink.created_by_id)
        .where(
            PasswordLink.token_hash == token_hash(token),
            PasswordLink.expires_at > now(),
            User.disabled_at.is_(None),
            maker.role == Role.ADMIN,
            maker.disabled_at.is_(None),
        )
    )
    user = session.scalar(wanted)
    if user is None:
        raise PasswordLinkNotFound
    return user


def _use_up(session: Session, token: str) -> None:
    """Delete a link. Of simultaneous requests one deletes it, and may go on.

    :raises PasswordLinkNotFound: another request has.
    """
    statement = delete(PasswordLink).where(PasswordLink.token_hash == token_hash(token))
    if change_rows(session, statement) != 1:
        raise PasswordLinkNotFound


def set_password(services: AuthServices, *, token: str, password: str, client: ClientInfo) -> str:
    """Set the password of a link's account, end all its sessions and begin a new one.

    The role stays. The link is used up.

    :returns: the token of the new session.
    :raises PasswordLinkNotFound: the link does not work, or another request has used it.
    :raises InvalidPassword: too short or too long; the link stays.
    :raises WeakPassword: easy to guess; the link stays.
    :raises redis.exceptions.RedisError: the session store is unavailable; nothing was changed.
    """
    stores = services.stores
    stores.sessions.ping()
    found = find_password_link(stores.database, token)
    hashed = hash_new_password(services.passwords, password, username=found.name)
    actor = Actor(None, client.address, client.request_id)

    def change(session: Session) -> User:
        user = find_password_link(session, token)
        session.refresh(user, with_for_update=True)
        _use_up(session, token)
        user.password_hash = hashed
        record_account(session, actor, Action.ACCOUNT_NEW_PASSWORD, user, by="password link")
        return user

    user = change_and_end_sessions(stores, change, user_id=found.id)
    session_token = begin_session(stores, user=user, client=client)
    if session_token is None:
        raise PasswordLinkNotFound
    return session_token
