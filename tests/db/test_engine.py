"""Transactions: whole, tried again after passing faults, and never repeated after a commit."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db.engine import Database, DatabaseUnavailable, connect
from db.models import Role, User

COUNT = text("SELECT COUNT(*) FROM users")


def user(name: str) -> User:
    return User(name=name, name_key=name, password_hash="x", role=Role.VIEWER)


@pytest.mark.mysql_only
@pytest.mark.parametrize("number", [1290, 1836])  # --read-only, --super-read-only; read-only mode
def test_a_writer_that_became_a_replica_is_left(database: Database, number: int) -> None:
    """The server keeps old connections, and refuses writes: the next try opens a new one.

    The first connection plays the replica.
    """
    first: list[int] = []

    def work(session: Session) -> None:
        connection = session.scalar(text("SELECT CONNECTION_ID()"))
        if connection in first or not first:
            first.append(connection)
            session.execute(text(f"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {number}"))
        session.add(user("alice"))

    database.write(work)
    assert first
    assert database.read(lambda session: session.scalar(COUNT)) == 1


@pytest.mark.on_mysql
def test_an_exception_undoes_the_whole_work(database: Database) -> None:
    def work(session: Session) -> None:
        session.add(user("alice"))
        session.flush()
        raise KeyError("stop")

    with pytest.raises(KeyError):
        database.write(work)
    assert database.read(lambda session: session.scalar(COUNT)) == 0


@pytest.mark.mysql_only
def test_a_deadlock_runs_the_work_again_from_its_start(database: Database) -> None:
    """Two writers that take two rows in opposite order: both end, and both changes hold.

    SQLite lets one writer in at a time, so it knows no deadlock.
    """
    database.write(lambda session: session.add_all([user("alice"), user("bob")]))
    both_hold_one = threading.Barrier(2)
    tries: list[str] = []

    def swap(first: str, second: str) -> None:
        meet = iter([True])

        def work(session: Session) -> None:
            tries.append(first)
            update = text("UPDATE users SET name = CONCAT(name, '!') WHERE name_key = :key")
            session.execute(update, {"key": first})
            if next(meet, False):
                both_hold_one.wait(5)
            session.execute(update, {"key": second})

        database.write(work)

    threads = [
        threading.Thread(target=swap, args=names) for names in (("alice", "bob"), ("bob", "alice"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) == 3
    names = database.read(lambda session: session.scalars(text("SELECT name FROM users")).all())
    assert sorted(names) == ["alice!!", "bob!!"]


@pytest.mark.on_mysql
def test_simultaneous_writers_all_get_through(database: Database) -> None:
    def add(number: int) -> None:
        database.write(lambda session: session.add(user(f"user{number}")))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.read(lambda session: session.scalar(COUNT)) == 20


def test_a_database_that_is_away_is_said_to_be_within_two_seconds() -> None:
    database = connect("mysql+pymysql://nobody@127.0.0.1:9/matinee")
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        database.ping()
    assert time.monotonic() - began < 2


@pytest.mark.on_mysql
def test_a_mistake_in_the_work_is_not_taken_for_an_absent_database(database: Database) -> None:
    with pytest.raises(Exception, match="nowhere") as raised:
        database.read(lambda session: session.execute(text("SELECT * FROM nowhere")))
    assert not isinstance(raised.value, DatabaseUnavailable)


@pytest.mark.on_mysql
def test_a_commit_whose_answer_is_lost_is_not_repeated(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def lose_answer(_session: Session) -> None:
        raise OperationalError("COMMIT", {}, Exception("gone away"))

    monkeypatch.setattr(Session, "commit", lose_answer)
    with pytest.raises(DatabaseUnavailable):
        database.write(lambda _session: tries.append(1))
    assert tries == [1]


def test_sqlite_survives_a_crash_of_the_machine(tmp_path: Path) -> None:
    """A commit is on disk when it returns, and foreign keys hold; both are off by default."""
    database = connect(f"sqlite:///{tmp_path / 'x.db'}")
    for pragma, value in (("synchronous", 2), ("foreign_keys", 1), ("journal_mode", "wal")):
        found = database.read(lambda session, name=pragma: session.scalar(text(f"PRAGMA {name}")))
        assert found == value
    database.engine.dispose()
