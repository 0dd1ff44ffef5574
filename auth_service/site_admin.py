"""The settings of the site as an administrator's form has them, and the logo."""

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Collection, Mapping

from PIL import Image
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth_service.quotas import InvalidQuota, format_quota, parse_quota
from common.audit import Actor
from common.errors import Conflict, NotFound, Unprocessable
from common.fixed_settings import (
    ENVIRONMENT,
    MAX_BIN_DAYS,
    MIN_MOVE_RATE,
    NAME_LIMIT,
    Registration,
)
from common.site_settings import SiteSettings, change_setting
from common.stores import Stores
from common.titles import clean_line
from common.translation import LANGUAGES, gettext, gettext_noop
from db.engine import transaction
from db.models import NO_QUOTA, Logo, Role, Visibility

MAX_LOGO_BYTES = 500_000
"""Bytes of the file of a logo that are taken."""
_LOGO_FORMATS = ("PNG", "JPEG", "WEBP")
_LOGO_SIDE = 256  # pixels of the longer side, as it is stored
_MAX_SIDE = 4096  # pixels of the longer side of the file
_DAY = 86400
_MAX_LINK_DAYS = 3650
_UNKNOWN_CHOICE = gettext_noop("That choice is not known here.")
_RATE = gettext_noop("This takes a size such as 20 MB, at least 100 kB, or nothing for no limit.")


class SettingIsFixed(Conflict):
    """The environment decides this setting.

    :param name: of the setting in the environment.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            gettext(
                "This is set by %(name)s in the environment, and can only be changed there.",
                name=name,
            )
        )


class BadLogo(Unprocessable):
    """The file is no picture that can be a logo."""

    sentence = gettext_noop(
        "A logo is a PNG, JPEG or WebP picture of at most 500 kB and 4096 pixels a side."
    )


def _parse_name(text: str) -> str:
    name = clean_line(text)
    if not 1 <= len(name) <= NAME_LIMIT:
        raise Unprocessable(
            gettext("The name of the site has 1 to %(limit)d characters.", limit=NAME_LIMIT)
        )
    return name


def _one_of(words: Collection[str], complaint: str) -> Callable[[str], str]:
    """Return a parser that takes these words alone.

    :param complaint: the sentence about any other.
    """

    def parse(text: str) -> str:
        if text not in words:
            raise Unprocessable(gettext(complaint))
        return text

    return parse


def _parse_limit(text: str) -> int | None:
    """Read bytes; None for an empty text as for "no limit"."""
    limit = parse_quota(text)
    return None if limit == NO_QUOTA else limit


def _parse_days(text: str, limit: int) -> int:
    if not re.fullmatch("[0-9]{1,6}", text) or not 1 <= int(text) <= limit:
        raise Unprocessable(
            gettext("This takes a whole number of days from 1 to %(limit)d.", limit=limit)
        )
    return int(text)


def _parse_link_age(text: str) -> int | None:
    return _parse_days(text, _MAX_LINK_DAYS) * _DAY if text.strip() else None


def _parse_flag(text: str) -> bool:
    return _one_of(("yes", "no"), _UNKNOWN_CHOICE)(text) == "yes"


def _parse_rate(text: str) -> int | None:
    """Read bytes per second; None for an empty text, which is no limit.

    :raises Unprocessable: it is no size, or too small.
    """
    try:
        rate = _parse_limit(text)
    except InvalidQuota as error:
        raise Unprocessable(gettext(_RATE)) from error
    if rate is not None and rate < MIN_MOVE_RATE:
        raise Unprocessable(gettext(_RATE))
    return rate


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "name": _parse_name,
    "registration": _one_of(list(Registration), _UNKNOWN_CHOICE),
    "new_role": _one_of(
        (Role.VIEWER, Role.UPLOADER), gettext_noop("New people can watch, or watch and upload.")
    ),
    "visibility": _one_of(list(Visibility), _UNKNOWN_CHOICE),
    "quota": _parse_limit,
    "language": _one_of(("", *LANGUAGES), gettext_noop("This site does not have that language.")),
    "bin_days": lambda text: _parse_days(text.strip(), MAX_BIN_DAYS),
    "move_paused": _parse_flag,
    "move_rate": _parse_rate,
    "link_max_age": lambda text: _parse_link_age(text.strip()),
    "link_require_password": _parse_flag,
    "link_require_expiry": _parse_flag,
}
FIELDS = tuple(_PARSERS)
"""The fields of the form."""


def form_values(settings: SiteSettings) -> dict[str, str]:
    """Return the settings as the form shows them, by field."""
    age = settings.link_max_age
    return {
        "name": settings.name,
        "registration": settings.registration.value,
        "new_role": settings.new_role.value,
        "visibility": settings.visibility.value,
        "quota": format_quota(settings.quota),
        "language": settings.language,
        "bin_days": str(settings.bin_days),
        "move_paused": "yes" if settings.move_paused else "no",
        "move_rate": format_quota(settings.move_rate),
        # The environment may say hours; they are shown as the days that they begin.
        "link_max_age": "" if age is None else str(-(-age // _DAY)),
        "link_require_password": "yes" if settings.link_require_password else "no",
        "link_require_expiry": "yes" if settings.link_require_expiry else "no",
    }


def change_settings(stores: Stores, actor: Actor, texts: Mapping[str, str]) -> None:
    """Change the settings that a form names, all of them or none.

    A setting that the environment decides may be sent as it is, since a whole form contains it.

    :param texts: by field of :data:`FIELDS`.
    :raises Unprocessable: one is wrong; the sentence says what it takes.
    :raises SettingIsFixed: the environment decides one that differs.
    """
    shown = form_values(stores.database.read(stores.site.load))
    values = {}
    for key, text in texts.items():
        if key in stores.site.fixed:
            if text != shown[key]:
                raise SettingIsFixed(ENVIRONMENT[key])
            continue
        values[key] = _PARSERS[key](text)
    _store_once_more(stores, lambda: _store(stores.database, actor, values))


def _store_once_more(stores: Stores, store: Callable[[], None]) -> None:
    """Store, and again if a simultaneous request has added the same row meanwhile."""
    try:
        store()
    except IntegrityError:
        store()
    stores.site.forget()


@transaction(writes=True)
def _store(session: Session, actor: Actor, values: Mapping[str, object]) -> None:
    for key, value in values.items():
        change_setting(session, actor, key=key, value=value)


def change_logo(stores: Stores, actor: Actor, file: bytes) -> None:
    """Show a picture as the site's logo, drawn anew as a small PNG, which drops its metadata.

    :param file: empty: the site has no logo of its own any more.
    :raises BadLogo: it is no picture, or too large.
    """
    content = _draw_logo(file) if file else b""
    _store_once_more(stores, lambda: _store_logo(stores.database, actor, content))


@transaction(writes=True)
def _store_logo(session: Session, actor: Actor, content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest() if content else ""
    session.execute(delete(Logo).where(Logo.sha256 != sha256))
    if sha256 and session.get(Logo, sha256) is None:
        session.add(Logo(sha256=sha256, content=content))
    change_setting(session, actor, key="logo", value=sha256)


@transaction(writes=False)
def load_logo(session: Session, sha256: str) -> bytes:
    """Return the PNG of a logo.

    :raises NotFound: there is none.
    """
    logo = session.get(Logo, sha256) if re.fullmatch("[0-9a-f]{64}", sha256) else None
    if logo is None:
        raise NotFound
    return logo.content


def _draw_logo(file: bytes) -> bytes:
    """Return a picture as a PNG of at most 256 pixels a side.

    :raises BadLogo: it is none of the formats that are taken, damaged, or has too many pixels;
        these are known before any is decoded.
    """
    if len(file) > MAX_LOGO_BYTES:
        raise BadLogo
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(file), formats=_LOGO_FORMATS) as picture:
                if max(picture.size) > _MAX_SIDE:
                    raise BadLogo
                drawn = picture.convert("RGBA")
    # Pillow's readers raise many kinds of errors for damaged files.
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise BadLogo from error
    drawn.thumbnail((_LOGO_SIDE, _LOGO_SIDE))
    output = io.BytesIO()
    drawn.save(output, "PNG", optimize=True, icc_profile=None)
    return output.getvalue()
