"""What the views of the auth service work with."""

from dataclasses import dataclass

from auth_service.limits import Limits
from auth_service.passwords import Passwords
from auth_service.settings import AuthSettings
from common.web.services import Services, current_services


@dataclass(kw_only=True)
class AuthServices(Services):
    """The auth service's settings, password hashing and rate limits."""

    settings: AuthSettings
    passwords: Passwords
    limits: Limits


def services() -> AuthServices:
    """Return the services of the app that is answering."""
    return current_services(AuthServices)
