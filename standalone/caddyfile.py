"""Caddy's configuration, rendered from `Caddyfile.template`."""

import re
import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from string import Template

from standalone.settings import StandaloneSettings

_TEMPLATE = Path(__file__).with_name("Caddyfile.template")
_COOKIE, _SECURE_COOKIE = "matinee_session", "__Host-matinee_session"


def caddy() -> str:
    """Return the path of the Caddy that came with the requirements, or else of the system's.

    :raises FileNotFoundError: there is none.
    """
    found = shutil.which("caddy", path=sysconfig.get_path("scripts")) or shutil.which("caddy")
    if found is None:
        raise FileNotFoundError("caddy is not installed")
    return found


def render(
    settings: StandaloneSettings,
    *,
    sockets: Mapping[str, Path],
    static_dir: Path,
    videos_dir: Path,
) -> str:
    """Return a Caddyfile.

    :param sockets: of `auth`, `upload` and `streaming`.
    :param static_dir: the front-end build.
    """
    if settings.domain:
        sites = f"https://{settings.domain}"
        ports = [
            f"http_port {settings.http_port}",
            f"https_port {settings.https_port}",
            "auto_https disable_redirects",
        ]
        security = 'header Strict-Transport-Security "max-age=31536000"'
    else:
        sites = ", ".join(f"http://:{port}" for port in settings.ports)
        ports = ["auto_https off"]
        security = ""
    text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        storage=_quoted(settings.data_dir / "caddy"),
        global_options="\n\t".join(ports),
        server_options="\n\t\t".join(_server_options(settings)),
        sites=sites,
        address=settings.address,
        security_headers=security,
        redirect=_redirect(settings),
        session="\n\t\t".join(_session(settings)),
        hosts=_host_pattern(settings.allowed_hosts),
        static=_quoted(static_dir),
        videos=_quoted(videos_dir),
        **{f"{name}_socket": _quoted(path, prefix="unix/") for name, path in sockets.items()},
    )
    # Parts that are empty leave blank lines, which Caddy would warn of.
    return re.sub(r"\n(?:[ \t]*\n)+", "\n\n", text)


def _server_options(settings: StandaloneSettings) -> list[str]:
    if not settings.trusted_proxies:
        return []
    return [
        f"trusted_proxies static {' '.join(settings.trusted_proxies)}",
        "trusted_proxies_strict",
        "client_ip_headers X-Forwarded-For",
    ]


def _redirect(settings: StandaloneSettings) -> str:
    """Return the site that leads from HTTP, by any name, to HTTPS; empty without a domain."""
    if not settings.domain:
        return ""
    return "\n".join(
        [
            f"http://:{settings.http_port} {{",
            f"\tbind {settings.address}",
            "\ttimeouts {",
            "\t\tread_timeout 60s",
            "\t}",
            f"\tredir {settings.https_url}{{uri}} 308",
            "}",
        ]
    )


def _session(settings: StandaloneSettings) -> list[str]:
    """Return what finds the scheme that the browser speaks, and the cookie that goes with it."""
    secure = bool(settings.domain) or settings.cookie_secure
    lines = ["vars scheme {http.request.scheme}", *_cookie("", secure=secure)]
    if settings.trusted_proxies:
        networks = " ".join(settings.trusted_proxies)
        lines += [
            "@behind_https {",
            f"\tremote_ip {networks}",
            "\theader X-Forwarded-Proto https",
            "}",
            "vars @behind_https scheme https",
            *_cookie("@behind_https ", secure=True),
        ]
    return lines


def _cookie(matcher: str, *, secure: bool) -> list[str]:
    name = _SECURE_COOKIE if secure else _COOKIE
    return [
        f"vars {matcher}cookie {name}",
        f"vars {matcher}session {{http.request.cookie.{name}}}",
    ]


def _host_pattern(names: tuple[str, ...]) -> str:
    """Return a regular expression for the `Host` headers that are answered.

    An IP address or `localhost` is always ours: only other names can be made to lead here.
    """
    known = "|".join(_name_pattern(name) for name in ("*.localhost", *names))
    address = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9a-f:.]+\]"
    return rf"(?i)^(?:{known}|{address})(?::[0-9]{{1,5}})?$"


def _name_pattern(name: str) -> str:
    pattern = name.removeprefix("*.").replace(".", r"\.")
    return rf"(?:[a-z0-9-]+\.)*{pattern}" if name.startswith("*.") else pattern


def _quoted(path: Path, *, prefix: str = "") -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{prefix}{escaped}"'
