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
    :param quota: bytes that an account without its own quota may store; None is no limit. It is
        shown here; the upload service holds uploads to it.
    """

    common: CommonSettings
    registration_open: bool
    registrations_per_hour: int = _REGISTRATIONS_PER_HOUR
    quota: int | None = None

    @classmethod
    def read(cls, environment: Environment) -> "AuthSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        registration = environment.choice("REGISTRATION", ("open", "closed"), "open")
        per_hour = environment.number(
            "REGISTRATIONS_PER_HOUR", _REGISTRATIONS_PER_HOUR, min_value=1, max_value=1_000_000
        )
        limited = environment.text("QUOTA", "") != ""
        return cls(
            CommonSettings.read(environment),
            registration_open=registration == "open",
            registrations_per_hour=per_hour,
            quota=environment.size("QUOTA", "") if limited else None,
        )
