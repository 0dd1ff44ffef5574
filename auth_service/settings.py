"""What the auth service needs to know."""

from dataclasses import dataclass

from common.settings import CommonSettings, Environment
from common.storage.store_settings import Store, read_default_store

_REGISTRATIONS_PER_HOUR = 60


@dataclass(frozen=True)
class AuthSettings:
    """What the auth service needs to know, besides what every service does.

    :param default_store: where the files of new videos end up.
    :param registrations_per_hour: accounts that can be made from one address in an hour.
    """

    common: CommonSettings
    default_store: Store = Store.DISK
    registrations_per_hour: int = _REGISTRATIONS_PER_HOUR

    @classmethod
    def read(cls, environment: Environment) -> "AuthSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        per_hour = environment.number(
            "REGISTRATIONS_PER_HOUR", _REGISTRATIONS_PER_HOUR, min_value=1, max_value=1_000_000
        )
        return cls(
            CommonSettings.read(environment),
            default_store=read_default_store(environment),
            registrations_per_hour=per_hour,
        )
