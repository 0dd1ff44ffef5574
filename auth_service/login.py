"""Login: from a username and a password to a session, and what an answer must not reveal.

A wrong password and an unknown name get the same answer at the same cost, rate limits included.
Only a request with the right password learns that the account is disabled.
"""

from dataclasses import dataclass

from auth_service.accounts import AccountChanged, find_account, replace_hash, viewer_for
from auth_service.services import AuthServices
from auth_service.usernames import InvalidUsername, parse_name
from common.access import Viewer
from common.errors import Forbidden, MatineeError
from common.names import name_key
from common.stores import Stores
from common.translation import gettext, gettext_noop
from db.models import User

_TRIES = 3  # while the account keeps changing


class WrongCredentials(MatineeError):
    """No account has this name and this password."""

    status = 401
    sentence = gettext_noop("The user name or the password is wrong.")


class WrongPassword(Forbidden):
    """A user who is signed in gave another password than the account's."""

    sentence = gettext_noop("That is not your password.")


class AccountDisabled(Forbidden):
    """The password is right, and an administrator has disabled the account."""

    sentence = gettext_noop("This account is disabled. Ask the administrator.")


@dataclass(frozen=True)
class ClientInfo:
    """Where a request came from.

    :ivar address: the IP address.
    :ivar device: browser and system, in words.
    :ivar request_id: by which the log lines of the request are found.
    """

    address: str
    device: str
    request_id: str


def log_in(
    services: AuthServices, *, username: str, password: str, client: ClientInfo
) -> tuple[str, Viewer]:
    """Begin a session for a name and its password; return its token and whose it is.

    Without the session store nobody can log in, so the password is not checked either.

    :raises WrongCredentials: no account has this name and this password.
    :raises AccountDisabled: the account has them, and is disabled.
    :raises RateLimited: too many wrong passwords came from this network.
    :raises InvalidPassword: it is longer than any password; nothing was hashed.
    :raises AccountChanged: the account kept changing meanwhile.
    :raises redis.exceptions.RedisError: the session store is unavailable.
    """
    services.stores.sessions.ping()
    for _ in range(_TRIES):
        user = _authenticate(services, username=username, password=password, address=client.address)
        if user is None:
            raise WrongCredentials
        if user.disabled_at is not None:
            raise AccountDisabled
        user = _refresh_hash(services, user=user, password=password)
        token = begin_session(services.stores, user=user, client=client)
        if token is not None:
            return token, viewer_for(user)
    raise AccountChanged(gettext("Sign in again."))


def confirm_password(
    services: AuthServices, *, viewer: Viewer, password: str, client: ClientInfo
) -> User:
    """Check the password of a user who is signed in, before a change that needs it.

    It counts with the wrong passwords of the login, so that a session left open does not allow
    guessing the password.

    :raises WrongPassword: it is another.
    :raises RateLimited: too many wrong passwords came from this network.
    """
    user = _authenticate(services, username=viewer.name, password=password, address=client.address)
    if user is None or user.id != viewer.id:
        raise WrongPassword
    return user


def begin_session(stores: Stores, *, user: User, client: ClientInfo) -> str | None:
    """Begin a session and return its token, or None if the account has changed since it was read.

    The account is read once more after the session is there: a new password, another role or name,
    or a block that was committed before that is seen here. What comes later changes or ends the
    session.
    """
    token = stores.sessions.begin(viewer_for(user), device=client.device, address=client.address)
    current = stores.database.read(lambda session: session.get(User, user.id))
    if current is not None and _auth_state(current) == _auth_state(user):
        return token
    stores.sessions.end(token)
    return None


def _auth_state(user: User) -> tuple[object, ...]:
    return user.password_hash, user.disabled_at, viewer_for(user)


def _authenticate(
    services: AuthServices, *, username: str, password: str, address: str
) -> User | None:
    """Return the account if the password is right. Costs the same whether or not it exists."""
    key = name_key(username)
    services.limits.check(key, address=address)
    try:
        user = find_account(services.stores.database, key=parse_name(username).key)
    except InvalidUsername:
        user = None
    if not services.passwords.matches(password, user.password_hash if user else None):
        services.limits.record_wrong(key, address=address)
        return None
    services.limits.check(key, address=address)
    return user


def _refresh_hash(services: AuthServices, *, user: User, password: str) -> User:
    """Hash the password again if the stored hash was made at another cost."""
    old = user.password_hash
    if not services.passwords.is_outdated(old):
        return user
    new = services.passwords.hash(password)
    if replace_hash(services.stores.database, user_id=user.id, old=old, new=new):
        user.password_hash = new
    return user
