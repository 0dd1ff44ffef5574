"""What the views and rules of the auth service work with."""

from dataclasses import dataclass

from auth_service.rate_limits import NameLimit, RegistrationLimits
from auth_service.settings import AuthSettings
from common.passwords import Passwords
from common.web.rate_limits import PasswordLimits
from common.web.services import Services, current_services


@dataclass(kw_only=True)
class AuthServices(Services):
    """The auth service's settings, password hashing and rate limits, besides the stores."""

    settings: AuthSettings
    passwords: Passwords
    limits: PasswordLimits
    token_limits: PasswordLimits
    registrations: RegistrationLimits
    names: NameLimit


def services() -> AuthServices:
    """Return the services of the app that is answering."""
    return current_services(AuthServices)
