"""A duty is done by one process at a time, and by another when that one has ended."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from common import duty as duty_module
from common.duty import Duty, free_duties, process_name
from db.clock import clock as clock_of
from db.engine import Database, DatabaseUnavailable
from db.models import Lease, now

pytestmark = pytest.mark.on_mysql


class Clock:
    """This process's clock, which a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Return seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(duty_module, "time", clock)
    return clock


def lease(database: Database) -> Lease:
    return database.read(lambda session: session.get_one(Lease, "sweep"))


def expire(database: Database) -> None:
    """Let the time pass after which a holder that does not answer is replaced."""

    def work(session: Any) -> None:
        session.get_one(Lease, "sweep").leased_until = now() - timedelta(seconds=1)

    database.write(work)


def test_one_holds_it_and_another_does_not(database: Database) -> None:
    first, second = (Duty(database, "sweep", name) for name in ("a", "b"))
    assert first.hold()
    assert not second.hold()
    assert Duty(database, "measure", "b").hold()
    left = lease(database).leased_until
    assert left is not None
    assert timedelta(seconds=25) < left - now() <= timedelta(seconds=31)


def test_another_takes_over_when_the_holder_gives_it_up(database: Database) -> None:
    first, second = (Duty(database, "sweep", name) for name in ("a", "b"))
    assert first.hold()
    second.release()  # of what it does not hold
    assert not second.hold()
    first.release()
    assert Duty(database, "sweep", "b").hold()
    assert not first.hold()


def test_who_has_given_it_up_can_take_it_again(database: Database) -> None:
    first = Duty(database, "sweep", "a")
    assert first.hold()
    first.release()
    assert first.hold()
    assert lease(database).holder == "a"


def test_another_takes_over_from_a_holder_that_has_died(database: Database, clock: Clock) -> None:
    first, second = (Duty(database, "sweep", name) for name in ("a", "b"))
    assert first.hold()
    assert not second.hold()
    assert lease(database).fence == 1
    expire(database)
    clock.now += 1
    assert second.hold()
    assert (lease(database).holder, lease(database).fence) == ("b", 2)
    clock.now += 9
    assert not first.hold()


def test_a_holder_that_was_late_goes_on_if_nobody_took_over(
    database: Database, clock: Clock
) -> None:
    first = Duty(database, "sweep", "a")
    assert first.hold()
    expire(database)
    clock.now += 40
    assert first.hold()
    assert lease(database).fence == 1
    assert not Duty(database, "sweep", "b").hold()


def test_it_asks_the_database_after_a_third_of_the_lease_only(
    database: Database, clock: Clock
) -> None:
    commits = 0

    def count(_connection: object) -> None:
        nonlocal commits
        commits += 1

    first, second = (Duty(database, "sweep", name) for name in ("a", "b"))
    event.listen(database.engine, "commit", count)
    try:
        assert first.hold()
        clock.now += 9.9
        assert first.hold()
        assert commits == 1
        clock.now += 0.2
        assert first.hold()
        assert commits == 2
        assert not second.hold()
        clock.now += 0.9
        assert not second.hold()
        assert commits == 3
        clock.now += 0.2
        assert not second.hold()
        assert commits == 4
    finally:
        event.remove(database.engine, "commit", count)


def test_of_many_that_begin_at_once_one_takes_it(database: Database) -> None:
    start = threading.Barrier(8)
    held = []

    def begin(name: str) -> None:
        duty = Duty(database, "sweep", name)
        start.wait()
        if duty.hold():
            held.append(name)

    threads = [threading.Thread(target=begin, args=(f"p{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held == [lease(database).holder]


@pytest.mark.mysql_only
def test_a_row_that_another_inserts_meanwhile_is_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (Duty(database, "sweep", name) for name in ("a", "b"))

    def slow_clock(session: Session) -> datetime:
        monkeypatch.undo()
        assert first.hold()
        return clock_of(session)

    monkeypatch.setattr(duty_module, "clock", slow_clock)
    assert not second.hold()
    assert lease(database).holder == "a"


def test_without_the_database_nobody_knows_and_giving_up_is_no_error(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Duty(database, "sweep", "a")
    with monkeypatch.context() as patch:

        def away(_database: Database, *_args: object, **_options: object) -> None:
            raise DatabaseUnavailable("away")

        patch.setattr(Database, "_run", away)
        with pytest.raises(DatabaseUnavailable):
            first.hold()
        first.release()
    assert first.hold()


def test_who_is_alone_with_the_database_ends_all_leases(database: Database) -> None:
    assert Duty(database, "sweep", "a").hold()
    free_duties(database)
    assert Duty(database, "sweep", "b").hold()


def test_no_two_processes_have_one_name() -> None:
    assert process_name() != process_name()
    assert len(process_name()) <= 33
