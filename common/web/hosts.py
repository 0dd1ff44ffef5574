"""Checks the `Host` header: a site answers under its own names only.

Without this check, a page of another site whose name is made to resolve to this machine (DNS
rebinding) could read everything that is served to its browser.
"""

from collections.abc import Sequence
from ipaddress import ip_address

from flask import Flask, request
from werkzeug.sansio.utils import host_is_trusted

from common.errors import MatineeError
from common.translation import gettext_noop

# A browser resolves these to its own machine, so no other site can have them.
_LOCAL = ".localhost"
# Asked by the front server and by health checks under other names; no outside route leads there.
_INTERNAL = ("/internal/", "/healthz", "/readyz", "/metrics")


class InvalidHost(MatineeError):
    """The `Host` header is missing or malformed (RFC 9112, 3.2)."""

    status = 400
    sentence = gettext_noop("The request names no host, or not in a way that can be understood.")


class UnknownHost(MatineeError):
    """The `Host` header has a name that this site does not answer under."""

    status = 421
    sentence = gettext_noop(
        "This site does not answer under this name. If you run it, add the name to ALLOWED_HOSTS."
    )


def check_host(host: str | None, allowed: Sequence[str]) -> None:
    """Check a `Host` header. IP addresses and `localhost` are always allowed.

    :param allowed: names, in lower case; `.example.org` is `example.org` and all names below it.
    :raises InvalidHost: it is missing or malformed.
    :raises UnknownHost: it has another name.
    """
    if not host_is_trusted(host):
        raise InvalidHost
    name = str(host).lower()
    if not _is_address(name) and not host_is_trusted(name, [_LOCAL, *allowed]):
        raise UnknownHost


def _is_address(host: str) -> bool:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def refuse_unknown_hosts(app: Flask, allowed: Sequence[str]) -> None:
    """Check the `Host` header of every request to an app, internal ones excepted."""

    @app.before_request
    def check() -> None:
        if not request.path.startswith(_INTERNAL):
            check_host(request.headers.get("Host"), allowed)
