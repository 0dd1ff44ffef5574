"""Signing in: from a name and a password to a session, and what must not be learnt on the way.

A wrong password and an unknown name get the same answer at the same cost, limits included. That an
account is disabled is told only to who knows its password.
"""

from dataclasses import dataclass

from auth_service.accounts import find_account, replace_hash, viewer_for
from auth_service.limits import Limits
from auth_service.names import UnfitName, name_key, parse_name
from auth_service.passwords import Passwords
from common.access import Viewer
from common.errors import Conflict, Forbidden, MatineeError
from common.stores import Stores
from db.models import User

_TRIES = 3


class WrongCredentials(MatineeError):
    """No account has this name and this password."""

    status = 401

    def __init__(self) -> None:
        super().__init__("That name and that password do not belong together.")


class WrongPassword(Forbidden):
    """Somebody who is signed in could not repeat the password."""

    def __init__(self) -> None:
        super().__init__("That is not your password.")


class AccountDisabled(Forbidden):
    """The password is right, and an administrator has closed the account."""

    def __init__(self) -> None:
        super().__init__("This account is disabled. Ask the administrator.")


class Unsettled(Conflict):
    """The account kept changing while it was being signed in to."""

    def __init__(self) -> None:
        super().__init__("The account was changed from elsewhere just now. Sign in again.")


@dataclass(frozen=True)
class Caller:
    """Where a request came from: the address, and the device in words."""

    address: str
    device: str


@dataclass(frozen=True)
class Gate:
    """What signing in takes."""

    stores: Stores
    passwords: Passwords
    limits: Limits


def sign_in(gate: Gate, *, username: str, password: str, caller: Caller) -> tuple[str, Viewer]:
    """Begin a session for a name and its password; return its token and who it is.

    Without the session store nobody can be signed in, so no password is tried either.

    :raises WrongCredentials: they do not belong together.
    :raises AccountDisabled: they do, and the account is disabled.
    :raises TooManyTries: this network has used up its tries, whatever was given.
    :raises UnfitPassword: it is too long to be anybody's; nothing was hashed.
    :raises redis.exceptions.RedisError: the session store is away.
    """
    gate.stores.sessions.ping()
    for _ in range(_TRIES):
        user = _check(gate, username=username, password=password, address=caller.address)
        if user is None:
            raise WrongCredentials
        if user.disabled_at is not None:
            raise AccountDisabled
        user = _refresh_hash(gate, user=user, password=password)
        token = begin_session(gate.stores, user=user, caller=caller)
        if token is not None:
            return token, viewer_for(user)
    raise Unsettled


def confirm(gate: Gate, *, viewer: Viewer, password: str, caller: Caller) -> User:
    """Let somebody who is signed in repeat their password before something grave.

    It counts with the wrong passwords of the log-in, so that a session left open is no way to
    guess at it.

    :raises WrongPassword: it is another.
    :raises TooManyTries: this network has used up its tries.
    """
    user = _check(gate, username=viewer.name, password=password, address=caller.address)
    if user is None or user.id != viewer.id:
        raise WrongPassword
    return user


def begin_session(stores: Stores, *, user: User, caller: Caller) -> str | None:
    """Begin a session and return its token, or None if the account has changed since it was read.

    The account is read once more after the session is there: a new password, another role or a ban
    that was committed before that is seen here, and one that comes later ends the session itself.
    """
    token = stores.sessions.begin(viewer_for(user), device=caller.device, address=caller.address)
    current = stores.database.read(lambda session: session.get(User, user.id))
    if current is not None and _standing(current) == _standing(user):
        return token
    stores.sessions.end(token)
    return None


def _standing(user: User) -> tuple[object, ...]:
    return user.password_hash, user.role, user.disabled_at


def _check(gate: Gate, *, username: str, password: str, address: str) -> User | None:
    """Return the account if the password is its own. Costs the same whether or not it exists."""
    key = name_key(username)
    gate.limits.require_password_tries(name_key=key, address=address)
    user = _find(gate, username)
    if not gate.passwords.matches(password, user.password_hash if user else None):
        gate.limits.count_wrong_password(name_key=key, address=address)
        return None
    gate.limits.require_password_tries(name_key=key, address=address)
    return user


def _find(gate: Gate, username: str) -> User | None:
    try:
        name = parse_name(username)
    except UnfitName:
        return None
    return gate.stores.database.read(lambda session: find_account(session, key=name.key))


def _refresh_hash(gate: Gate, *, user: User, password: str) -> User:
    """Hash anew what was hashed at another cost, while the password is at hand."""
    old = user.password_hash
    if not gate.passwords.is_outdated(old):
        return user
    new = gate.passwords.hash(password)
    if gate.stores.database.write(
        lambda session: replace_hash(session, user_id=user.id, old=old, new=new)
    ):
        user.password_hash = new
    return user
