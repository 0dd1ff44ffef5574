"""What the auth service needs to know."""

from dataclasses import dataclass

from common.settings import CommonSettings, Environment

_REGISTRATIONS_PER_HOUR = 60


@dataclass(frozen=True)
class AuthSettings:
    """What the auth service needs to know, besides what every service does.

    :param registrations_per_hour: accounts that can be made from one address in an hour.
    """

    common: CommonSettings
    registrations_per_hour: int = _REGISTRATIONS_PER_HOUR

    @classmethod
    def read(cls, environment: Environment) -> "AuthSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        per_hour = environment.number(
            "REGISTRATIONS_PER_HOUR", _REGISTRATIONS_PER_HOUR, min_value=1, max_value=1_000_000
        )
        return cls(CommonSettings.read(environment), registrations_per_hour=per_hour)
