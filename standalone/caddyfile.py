"""Caddy's configuration, rendered from `Caddyfile.template`."""

import re
import shutil
import sysconfig
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from standalone.settings import StandaloneSettings

_TEMPLATE = Path(__file__).with_name("Caddyfile.template")
_COOKIE, _SECURE_COOKIE = "matinee_session", "__Host-matinee_session"
_VISIT_COOKIE, _SECURE_VISIT_COOKIE = "matinee_visits", "__Host-matinee_visits"


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
    help_dir: Path,
) -> str:
    """Return a Caddyfile.

    :param sockets: of `auth`, `upload` and `streaming`.
    :param static_dir: the front-end build.
    :param help_dir: the documentation as it is built; without it `/help` is not found.
    """
    secure = bool(settings.domain) or settings.cookie_secure
    text = _ENVIRONMENT.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        settings=settings,
        sockets=sockets,
        static_dir=static_dir,
        videos_dir=videos_dir,
        help_dir=help_dir,
        hosts=_host_pattern(settings.allowed_hosts),
        cookie=_SECURE_COOKIE if secure else _COOKIE,
        secure_cookie=_SECURE_COOKIE,
        visit_cookie=_SECURE_VISIT_COOKIE if secure else _VISIT_COOKIE,
        secure_visit_cookie=_SECURE_VISIT_COOKIE,
    )
    # Parts that are empty leave blank lines, which Caddy would warn of.
    return re.sub(r"\n(?:[ \t]*\n)+", "\n\n", text)


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


# Caddy's own braces stay as they are.
_ENVIRONMENT = Environment(
    block_start_string="[%",
    block_end_string="%]",
    variable_start_string="[[",
    variable_end_string="]]",
    comment_start_string="[#",
    line_statement_prefix="%%",
    keep_trailing_newline=True,
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 (no HTML; paths are quoted by these filters)
)
_ENVIRONMENT.filters |= {"quoted": _quoted, "unix": partial(_quoted, prefix="unix/")}
