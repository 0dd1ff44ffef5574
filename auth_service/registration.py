"""Registration: people create accounts for themselves."""

from auth_service.accounts import AccountChanged, create_account, require_available_name
from auth_service.login import ClientInfo, begin_session
from auth_service.services import AuthServices
from auth_service.usernames import parse_name
from common.audit import Actor
from db.models import Role


def register(services: AuthServices, *, username: str, password: str, client: ClientInfo) -> str:
    """Create an account and begin its first session, whose token is returned.

    The first account of all becomes the administrator, and can be created even if registration is
    closed; the others upload and watch. Everything that needs no hash is checked first.

    :raises InvalidUsername: no account can have this name.
    :raises InvalidPassword: too short or too long.
    :raises NameTaken: another account has the name.
    :raises RegistrationClosed: and this is not the first account.
    :raises RateLimited: as many accounts as are allowed came from this network.
    :raises redis.exceptions.RedisError: the session store is unavailable; nothing was created.
    """
    registration_open = services.settings.registration_open
    services.stores.sessions.ping()
    services.registrations.check(address=client.address)
    name = parse_name(username)
    database = services.stores.database
    require_available_name(database, name=name, registration_open=registration_open)
    with services.registrations.counting(address=client.address):
        user = create_account(
            database,
            actor=Actor(None, client.address, client.request_id),
            name=name,
            password_hash=services.passwords.hash(password),
            role=Role.UPLOADER,
            registration_open=registration_open,
        )
    token = begin_session(services.stores, user=user, client=client)
    if token is None:
        raise AccountChanged
    return token
