"""Settings: read once from the environment, checked strictly, frozen.

A wrong setting stops the service with a sentence that names it; none is replaced by its default. A
secret may come from a file, whose path is in `NAME_FILE`. `.env.example` documents every name that
is read here or in a service's own settings; a test keeps it so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from common.fixed_settings import read_fixed

T = TypeVar("T", bound=str)

_LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
HOST_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.IGNORECASE | re.ASCII)
"""A name of a host, without a port."""
_ORIGIN = re.compile(rf"https?://(\*\.)?{HOST_NAME.pattern}(:[0-9]{{1,5}})?", re.ASCII)

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class SettingsError(Exception):
    """A setting is missing or cannot be understood; the text says which, and what it takes."""

    @classmethod
    def of(cls, name: str, value: str, takes: str) -> Self:
        """Return the error of a value that cannot be understood."""
        return cls(f"{name} is {value!r}; it takes {takes}.")


class Environment:
    """Reads settings by name from a mapping such as `os.environ`; empty counts as unset."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str | None = None) -> str:
        """Return a setting as it is; without a default it is required."""
        value = self._values.get(name) or default
        if value is None:
            raise SettingsError(f"{name} is required and not set.")
        return value

    def secret(self, name: str, default: str | None = None) -> str:
        """Return a secret, from the file that `NAME_FILE` names if that is set."""
        path = self._values.get(f"{name}_FILE", "")
        if not path:
            return self.text(name, default)
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise SettingsError(f"{name}_FILE cannot be read: {error}.") from error

    def matching(self, name: str, default: str, form: str, *, takes: str) -> str:
        """Return a setting, from a file if `NAME_FILE` names one, that has a form.

        :param form: a regular expression.
        :param takes: the form in words, with an example.
        """
        value = self.secret(name, default)
        if not re.fullmatch(form, value):
            raise SettingsError.of(name, value, takes)
        return value

    def choice(self, name: str, choices: tuple[T, ...], default: T) -> T:
        """Return one of several words."""
        value = self.text(name, default)
        for choice in choices:
            if value == choice:
                return choice
        raise SettingsError.of(name, value, " or ".join(filter(None, choices)))

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean, written `true` or `false`."""
        return self.choice(name, ("true", "false"), "true" if default else "false") == "true"

    def number(self, name: str, default: int, *, min_value: int, max_value: int) -> int:
        """Return a whole number within bounds."""
        value = self.text(name, str(default))
        if not re.fullmatch(r"[0-9]{1,18}", value) or not min_value <= int(value) <= max_value:
            takes = f"a whole number from {min_value} to {max_value}"
            raise SettingsError.of(name, value, takes)
        return int(value)

    def size(self, name: str, default: str, *, min_value: int = 1) -> int:
        """Return a size in bytes, written as nginx writes it: `1048576`, `512k`, `200m`, `16g`."""
        value = self.text(name, default)
        match = re.fullmatch(r"([0-9]{1,15})([KMGT]?)", value.upper())
        if match is None or int(match[1]) == 0:
            raise SettingsError.of(name, value, "a size such as 200m or 16g")
        size = int(match[1]) * _UNITS[match[2]]
        if size < min_value:
            raise SettingsError.of(name, value, f"at least {min_value} bytes")
        return size

    def host_names(self, name: str) -> tuple[str, ...]:
        """Return names of hosts, written with commas; `*.example.org` comes back as `.example.org`.

        That means `example.org` and every name below it. Other than ASCII is written in Punycode.
        """
        names = self._parts(name)
        for host in names:
            if not HOST_NAME.fullmatch(host.removeprefix("*.")):
                raise SettingsError(
                    f"{name} has {host!r}; it takes names such as video.example.org or"
                    " *.example.org, without a port."
                )
        return tuple(host.removeprefix("*") for host in names)

    def origins(self, name: str) -> tuple[str, ...]:
        """Return origins of sites, written with commas, such as `https://example.org`; or `*`."""
        found = self._parts(name)
        for origin in found:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise SettingsError(
                    f"{name} has {origin!r}; it takes origins such as https://example.org, or *."
                )
        return found

    def _parts(self, name: str) -> tuple[str, ...]:
        parts = (part.strip().lower() for part in self.text(name, "").split(","))
        return tuple(part for part in parts if part)

    def duration(self, name: str, default: str) -> int:
        """Return a duration in seconds, written `90s`, `15m`, `12h` or `30d`."""
        value = self.text(name, default)
        match = re.fullmatch(r"([0-9]{1,9})([smhd])", value)
        if match is None or int(match[1]) == 0:
            raise SettingsError.of(name, value, "a duration such as 90s, 12h or 30d")
        return int(match[1]) * _SECONDS[match[2]]


@dataclass(frozen=True)
class CommonSettings:
    """The settings of every service.

    :param session_ttl: seconds after its last use until a session ends.
    :param cookie_secure: whether all browsers use HTTPS, even if their requests do not say so.
    :param trust_gateway: whether `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-Id` come
        from our own gateway, and no request can reach the service but through it.
    :param allowed_hosts: names under which the site answers, besides `localhost` and IP addresses;
        `.example.org` is `example.org` and every name below it.
    :param fixed: settings of the site that the environment decides; see `common.fixed_settings`.
    """

    database_url: str
    database_password: str
    redis_url: str
    static_dir: Path
    session_ttl: int
    cookie_secure: bool
    trust_gateway: bool
    log_level: str
    allowed_hosts: tuple[str, ...] = ()
    fixed: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def read(cls, environment: Environment) -> "CommonSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        return cls(
            database_url=_database_url(environment),
            database_password=environment.secret("DATABASE_PASSWORD", ""),
            redis_url=_redis_url(environment),
            static_dir=Path(environment.text("STATIC_DIR", "build/static")),
            session_ttl=environment.duration("SESSION_TTL", "30d"),
            cookie_secure=environment.flag("COOKIE_SECURE", default=False),
            trust_gateway=environment.flag("TRUST_GATEWAY", default=False),
            log_level=environment.choice("LOG_LEVEL", ("debug", "info", "warning"), "info"),
            allowed_hosts=environment.host_names("ALLOWED_HOSTS"),
            fixed=read_fixed(environment),
        )


# Both import late, as programs that read single settings need neither library. Neither shows what
# was given, which may hold a password.


def _database_url(environment: Environment) -> str:
    from sqlalchemy import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    value = environment.text("DATABASE_URL")
    try:
        driver = make_url(value).get_driver_name()
    except (ArgumentError, ValueError):
        driver = ""
    if driver not in ("pymysql", "pysqlite"):
        raise SettingsError(
            "DATABASE_URL cannot be understood; it takes a URL such as"
            " mysql+pymysql://user@host/name or sqlite:////path/to/file."
        )
    return value


def _redis_url(environment: Environment) -> str:
    from common.stores.redis_client import connect_redis  # noqa: PLC0415

    value = environment.secret("REDIS_URL")
    try:
        connect_redis(value).close()  # it has not connected yet
    except ValueError:
        raise SettingsError(
            "REDIS_URL cannot be understood; it takes a URL such as redis://host:6379/0 or"
            " redis+sentinel://host:26379/name/0."
        ) from None
    return value
