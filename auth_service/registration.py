"""Registration: people create accounts for themselves."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from auth_service.accounts import (
    AccountChanged,
    create_account,
    has_no_accounts,
    require_available_name,
)
from auth_service.login import ClientInfo, begin_session
from auth_service.services import AuthServices
from auth_service.usernames import parse_name
from common.audit import Actor
from common.errors import Forbidden
from common.fixed_settings import Registration
from common.site_settings import SiteSettingsStore
from common.translation import gettext_noop
from db.engine import transaction
from db.models import Role, User


class RegistrationClosed(Forbidden):
    """Only an administrator can create accounts, or an invitation is needed."""

    sentence = gettext_noop("Registration is closed. Ask whoever runs this site for an invitation.")


@dataclass(frozen=True)
class NewAccount:
    """An account that was just made, and the token of its first session."""

    user: User
    token: str

    @property
    def is_first(self) -> bool:
        """Whether it is the first account of the site."""
        return self.user.is_first_account is True


def register(
    services: AuthServices, *, username: str, password: str, client: ClientInfo
) -> NewAccount:
    """Create an account and begin its first session.

    The first account of all becomes the administrator, and can be created even if registration is
    closed. The others have the role that the settings say. Everything that needs no hash is checked
    first.

    :raises InvalidUsername: no account can have this name.
    :raises InvalidPassword: too short or too long.
    :raises WeakPassword: easy to guess.
    :raises NameTaken: another account has the name.
    :raises RegistrationClosed: and this is not the first account.
    :raises RateLimited: as many accounts as are allowed came from this network.
    :raises redis.exceptions.RedisError: the session store is unavailable; nothing was created.
    """
    services.stores.sessions.ping()
    services.registrations.check(address=client.address)
    name = parse_name(username)
    database, site = services.stores.database, services.stores.site
    if not has_no_accounts(database):
        _role_by_registration(database, site)
    require_available_name(database, name=name)
    with services.registrations.counting(address=client.address):
        user = create_account(
            database,
            services.passwords,
            actor=Actor(None, client.address, client.request_id),
            name=name,
            password=password,
            join=lambda session: _role_by_registration(session, site),
        )
    return begin_first_session(services, user=user, client=client)


def begin_first_session(services: AuthServices, *, user: User, client: ClientInfo) -> NewAccount:
    """Begin the session of a new account.

    :raises AccountChanged: an administrator has changed it already.
    """
    token = begin_session(services.stores, user=user, client=client)
    if token is None:
        raise AccountChanged
    return NewAccount(user, token)


@transaction(writes=False)
def _role_by_registration(session: Session, site: SiteSettingsStore) -> Role:
    """Return the role of an account that somebody makes for themselves.

    :raises RegistrationClosed: nobody can.
    """
    settings = site.load(session)
    if settings.registration is not Registration.OPEN:
        raise RegistrationClosed
    return settings.new_role
