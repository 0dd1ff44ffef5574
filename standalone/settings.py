"""Where standalone keeps its data and listens. The services' own settings keep their names."""

import ipaddress
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from common.settings import HOST_NAME, Environment, SettingsError
from common.storage.store_settings import Store, read_default_store, read_upload_store

# Caddy signs these by itself (https://caddyserver.com/docs/automatic-https).
_LOCAL = re.compile(r"(?:.*\.)?(?:localhost|local|internal|home\.arpa)", re.IGNORECASE)
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True)
class StandaloneSettings:
    """:param address: an IP address to listen on; `::` and `0.0.0.0` are all of this machine's.
    :param ports: for plain HTTP; not used where there is a domain.
    :param redis_url: of a server that is there, or `embedded`.
    :param domain: the site's name for automatic HTTPS; empty is plain HTTP.
    :param http_port: where requests for the domain are redirected to HTTPS.
    :param allowed_hosts: names besides IP addresses and `localhost` that lead here, in lower case;
        `*.example.org` is `example.org` and every name below it.
    :param trusted_proxies: networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    :param cookie_secure: whether a proxy in front speaks HTTPS, whatever its requests say.
    """

    data_dir: Path
    address: str
    ports: tuple[int, ...]
    redis_url: str
    domain: str = ""
    http_port: int = 80
    https_port: int = 443
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    cookie_secure: bool = False

    @classmethod
    def read(cls, environment: Environment) -> "StandaloneSettings":
        """:raises SettingsError: naming the first setting that is wrong."""
        if read_default_store(environment) is Store.S3:
            raise SettingsError(
                "STORE is s3, which standalone does not take: Caddy keeps nothing of what it reads"
                " from an object store, so each viewer would fetch every byte from there. Use"
                " Docker Compose for it, or STORE=disk."
            )
        read_upload_store(environment)
        ports = environment.text("PORTS", "5000,5001,5002").split(",")
        if not all(port.isdigit() and 0 < int(port) < 65536 for port in ports):
            raise SettingsError("PORTS takes port numbers with commas between them.")
        if len(set(map(int, ports))) < len(ports):
            raise SettingsError("PORTS has a port twice; each can be used once.")
        domain = environment.text("DOMAIN", "")
        if domain and not HOST_NAME.fullmatch(domain):
            raise SettingsError(f"DOMAIN is {domain!r}; it takes a name such as video.example.org.")
        # A site with a domain is for others; without one it is for this machine alone.
        address = environment.text("LISTEN_ADDRESS", _all_addresses() if domain else "127.0.0.1")
        http_port = environment.number("HTTP_PORT", 80, min_value=1, max_value=65535)
        https_port = environment.number("HTTPS_PORT", 443, min_value=1, max_value=65535)
        if http_port == https_port:
            raise SettingsError("HTTP_PORT and HTTPS_PORT are the same; they take different ports.")
        return cls(
            data_dir=Path(environment.text("DATA_DIR", "data")).absolute(),
            address=_address(address),
            ports=tuple(int(port) for port in ports),
            redis_url=environment.text("REDIS_URL", "embedded"),
            domain=domain,
            http_port=http_port,
            https_port=https_port,
            allowed_hosts=_hosts(environment.host_names("ALLOWED_HOSTS"), domain),
            trusted_proxies=_networks(environment.text("TRUSTED_PROXIES", "")),
            cookie_secure=environment.flag("COOKIE_SECURE", default=False),
        )

    @property
    def listens(self) -> tuple[int, ...]:
        """All ports that are listened on."""
        return (self.http_port, self.https_port) if self.domain else self.ports

    @property
    def https_url(self) -> str:
        """The address of a site with a domain.

        Another port than 443 is only part of it where no public authority signs: they ask port 80
        or 443 of the name, so something in front leads from there to the ports of this machine.
        """
        is_plain = self.https_port == 443 or not _LOCAL.fullmatch(self.domain)
        return f"https://{self.domain}" + ("" if is_plain else f":{self.https_port}")

    @property
    def own_address(self) -> str:
        """An address at which this machine reaches itself."""
        return _EVERYWHERE.get(self.address, self.address)

    @property
    def urls(self) -> list[str]:
        """The addresses of the site, for people."""
        if self.domain:
            return [self.https_url]
        host = f"[{self.own_address}]" if ":" in self.own_address else self.own_address
        return [f"http://{host}:{port}" for port in self.ports]


def _all_addresses() -> str:
    """Return the address that stands for all of this machine's, which may have no IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", 0))
    except OSError:
        return "0.0.0.0"
    return "::"


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise SettingsError(
            f"LISTEN_ADDRESS is {text!r}; it takes an IP address such as 127.0.0.1 or ::1."
        ) from error


def _hosts(names: tuple[str, ...], domain: str) -> tuple[str, ...]:
    known = [f"*{name}" if name.startswith(".") else name for name in names]
    return tuple(dict.fromkeys([*([domain.lower()] if domain else []), *known]))


def _networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_network(part)) for part in text.split())
    except ValueError as error:
        raise SettingsError(
            f"TRUSTED_PROXIES is {text!r}; it takes addresses or networks, separated by blanks."
        ) from error
