"""Making an account for oneself."""

from auth_service.accounts import ChangedMeanwhile, open_account, require_open_name
from auth_service.names import parse_name
from auth_service.signing_in import Caller, Gate, begin_session
from db.models import Role


def register(
    gate: Gate, *, username: str, password: str, caller: Caller, registration_open: bool
) -> str:
    """Make an account, and begin its first session, whose token is returned.

    The first account of all becomes the administrator, and can be made even if registration is
    closed; the others upload and watch. What can be refused without computing a hash, is.

    :raises UnfitName: nobody can be called that.
    :raises UnfitPassword: too short or too long.
    :raises NameTaken: somebody has the name.
    :raises RegistrationClosed: and this is not the first account.
    :raises TooManyTries: as many accounts as are allowed came from this network.
    :raises redis.exceptions.RedisError: the session store is away; no account was made.
    """
    gate.stores.sessions.ping()
    gate.limits.require_registrations(address=caller.address)
    name = parse_name(username)
    gate.stores.database.read(
        lambda session: require_open_name(session, name=name, registration_open=registration_open)
    )
    user = open_account(
        gate.stores.database,
        name=name,
        password_hash=gate.passwords.hash(password),
        role=Role.UPLOADER,
        registration_open=registration_open,
    )
    gate.limits.count_registration(address=caller.address)
    token = begin_session(gate.stores, user=user, caller=caller)
    if token is None:
        raise ChangedMeanwhile
    return token
