"""The settings of the site, as a process keeps them."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy.orm import Session

from common import site_settings
from common.fixed_settings import Registration
from common.site_settings import SiteSettings, SiteSettingsStore
from db.engine import Database, DatabaseUnavailable
from db.models import Setting

T = TypeVar("T")


class CountingDatabase(Database):
    """Counts what is read, and can be away."""

    reads = 0
    is_away = False

    def read(self, work: Callable[[Session], T]) -> T:
        self.reads += 1
        if self.is_away:
            raise DatabaseUnavailable("away")
        return super().read(work)


class Clock:
    """Stands in for the module `time`."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(site_settings, "time", found)
    return found


@pytest.fixture
def counting(database: Database) -> CountingDatabase:
    return CountingDatabase(database.engine)


def test_they_are_read_every_two_seconds(counting: CountingDatabase, clock: Clock) -> None:
    store = SiteSettingsStore(counting, {})
    assert store.current() == store.current() == SiteSettings()
    assert counting.reads == 1
    counting.write(lambda session: session.add(Setting(key="name", value='"Ours"')))
    clock.now += 2
    assert store.current().name == "Ours"
    assert counting.reads == 2
    store.forget()
    store.current()
    assert counting.reads == 3


def test_the_last_ones_apply_while_the_database_is_away(
    counting: CountingDatabase, clock: Clock
) -> None:
    store = SiteSettingsStore(counting, {"registration": "closed"})
    store.current()
    counting.is_away = True
    clock.now += 2
    assert store.current().registration is Registration.CLOSED


def test_without_any_a_database_that_is_away_is_asked_every_two_seconds(
    counting: CountingDatabase, clock: Clock
) -> None:
    store = SiteSettingsStore(counting, {})
    counting.is_away = True
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):
            store.current()
    assert counting.reads == 1
    counting.is_away = False
    clock.now += 2
    assert store.current() == SiteSettings()


def test_rows_of_another_version_are_passed_over(counting: CountingDatabase, clock: Clock) -> None:
    rows = [
        Setting(key="unheard_of", value="1"),
        Setting(key="registration", value='"sometimes"'),
        Setting(key="bin_days", value="{"),
    ]
    counting.write(lambda session: session.add_all(rows))
    assert SiteSettingsStore(counting, {}).current() == SiteSettings()
