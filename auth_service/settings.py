"""What the auth service needs to know."""

from dataclasses import dataclass

from common.settings import CommonSettings, Environment

_REGISTRATIONS_PER_HOUR = 60


@dataclass(frozen=True)
class AuthSettings:
    """What the auth service needs to know, besides what every service does.

    :param registration_open: whether people can make accounts for themselves. The first account
        of all can always be made.
    :param registrations_per_hour: accounts that can be made from one address in an hour.
    """

    common: CommonSettings
    registration_open: bool
    registrations_per_hour: int = _REGISTRATIONS_PER_HOUR

    @classmethod
    def read(cls, environment: Environment) -> "AuthSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        registration = environment.choice("REGISTRATION", ("open", "closed"), "open")
        per_hour = environment.number(
            "REGISTRATIONS_PER_HOUR", _REGISTRATIONS_PER_HOUR, least=1, most=1_000_000
        )
        return cls(
            CommonSettings.read(environment),
            registration_open=registration == "open",
            registrations_per_hour=per_hour,
        )
