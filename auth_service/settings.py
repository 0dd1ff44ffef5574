"""What the auth service needs to know."""

from dataclasses import dataclass

from common.settings import CommonSettings, Environment


@dataclass(frozen=True)
class AuthSettings:
    """:param registration_open: whether people can make accounts for themselves. The first account
    of all can always be made.
    """

    common: CommonSettings
    registration_open: bool

    @classmethod
    def read(cls, environment: Environment) -> "AuthSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        registration = environment.choice("REGISTRATION", ("open", "closed"), "open")
        return cls(CommonSettings.read(environment), registration_open=registration == "open")
