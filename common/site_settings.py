"""Settings of the site that administrators change on a page: its name, who may join, defaults.

Each is a row of the table `settings`. The environment comes first: what it sets cannot be changed
on the page, which says so. What nothing sets has the default of :class:`SiteSettings`.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.audit import Action, Actor, record
from common.fixed_settings import BIN_DAYS, DEFAULT_NAME, Registration
from db.engine import Database, DatabaseUnavailable, transaction
from db.models import Role, Setting, Visibility

_MAX_AGE = 2.0  # seconds for which a process keeps what it has read


@dataclass(frozen=True)
class SiteSettings:
    """The settings that apply.

    :ivar name: of the site, as it is shown.
    :ivar logo: SHA-256 of the logo, see `db.models.Logo`; empty: there is none.
    :ivar new_role: of accounts that people make for themselves.
    :ivar visibility: of new videos.
    :ivar quota: bytes that an account without its own quota may store; None is no limit.
    :ivar language: of those whose browser asks for none that is there; empty: English.
    :ivar bin_days: days after which a video in the bin is deleted.
    :ivar move_paused: whether the mover to the object store waits.
    :ivar move_rate: bytes per second that it copies at most; None is no limit.
    :ivar link_max_age: seconds for which a share link may work; None is no limit.
    """

    name: str = DEFAULT_NAME
    logo: str = ""
    registration: Registration = Registration.OPEN
    new_role: Role = Role.UPLOADER
    visibility: Visibility = Visibility.PRIVATE
    quota: int | None = None
    language: str = ""
    bin_days: int = BIN_DAYS
    move_paused: bool = False
    move_rate: int | None = None
    link_max_age: int | None = None
    link_require_password: bool = False
    link_require_expiry: bool = False


_KEYS = frozenset(field.name for field in fields(SiteSettings))
_WORDS: Mapping[str, Callable[[Any], object]] = {
    "registration": Registration,
    "new_role": Role,
    "visibility": Visibility,
}


def logo_url(settings: SiteSettings) -> str | None:
    """Return the address of the site's logo; None: it has none of its own."""
    return f"/logo/{settings.logo}.png" if settings.logo else None


class SiteSettingsStore:
    """The settings that apply, read from the database and kept in this process for two seconds.

    Rules that must not be two seconds late, such as who may join, call :meth:`load` in their own
    transaction.

    :ivar fixed: what the environment decides, by key.
    """

    def __init__(self, database: Database, fixed: Mapping[str, object]) -> None:
        self.fixed = {key: _typed(key, value) for key, value in fixed.items()}
        self._database = database
        self._kept: SiteSettings | None = None
        self._renew_at = 0.0
        self._failed_until = 0.0

    def current(self) -> SiteSettings:
        """Return the settings, at most about two seconds old.

        While the database does not answer, the last ones that were read apply.

        :raises DatabaseUnavailable: none were read yet. For two seconds it is not asked again, so
            that a page about the error is not held up once more.
        """
        kept = self._kept
        if kept is None and time.monotonic() < self._failed_until:
            raise DatabaseUnavailable("the settings of the site were not read")
        if kept is None or time.monotonic() >= self._renew_at:
            # Others use what there is while this one reads. Needs no lock.
            self._renew_at = time.monotonic() + _MAX_AGE
            try:
                kept = self._kept = self._database.read(self.load)
            except DatabaseUnavailable:
                self._failed_until = time.monotonic() + _MAX_AGE
                if kept is None:
                    raise
        return replace(kept, **self.fixed)  # type: ignore[arg-type]

    def current_if_known(self) -> SiteSettings:
        """Return the settings; the defaults if the database does not answer and none were read."""
        with suppress(DatabaseUnavailable):
            return self.current()
        return SiteSettings()

    def load(self, session: Session) -> SiteSettings:
        """Return the settings as the database has them now."""
        return replace(SiteSettings(), **(_stored(session) | self.fixed))  # type: ignore[arg-type]

    def forget(self) -> None:
        """Read anew at the next call, after a change."""
        self._renew_at = self._failed_until = 0.0


@transaction(writes=True)
def change_setting(session: Session, actor: Actor, *, key: str, value: object) -> None:
    """Store a setting. The caller has checked the value.

    Call :meth:`SiteSettingsStore.forget` after the commit.

    :param key: a field of :class:`SiteSettings`.
    """
    before = getattr(replace(SiteSettings(), **_stored(session)), key)  # type: ignore[arg-type]
    if value == before:
        return
    row = session.get(Setting, key, with_for_update=True) or Setting(key=key)
    row.value = json.dumps(value)
    row.updated_by_id = actor.viewer.id if actor.viewer else None
    session.add(row)
    details = {"setting": key, "before": before, "value": value}
    record(session, actor, Action.SETTING_CHANGED, object_id=key, **details)


def _stored(session: Session) -> dict[str, object]:
    """Return the settings that were changed. A row that this version does not know is ignored."""
    rows = session.execute(select(Setting.key, Setting.value)).all()
    found: dict[str, object] = {}
    for key, text in rows:
        if key in _KEYS:
            try:
                found[key] = _typed(key, json.loads(text))
            except ValueError:
                continue
    return found


def _typed(key: str, value: object) -> object:
    return _WORDS[key](value) if key in _WORDS else value
