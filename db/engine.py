"""The database: one engine per process, and transactions that are retried as a whole.

A rule is a function whose first parameter is a session, marked with :func:`transaction`. Called
with a :class:`Database` it runs in a transaction of its own; called with a session it joins that
session's transaction:

    @transaction(writes=True)
    def rename_video(session: Session, *, video_id: str, title: str) -> Video: ...

    rename_video(database, video_id=..., title=...)

A deadlock, a lock timeout, a dead connection or a server that has become a replica rolls the
transaction back and runs the rule again from its start. So what a rule does beside the session (to
Redis, or to files) must be idempotent. A commit whose answer was lost is never repeated: nobody
knows whether it happened.
"""

import functools
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import pymysql
from sqlalchemy import (
    Connection,
    Delete,
    Engine,
    ExceptionContext,
    Update,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, configure_mappers
from sqlalchemy.pool import SingletonThreadPool

from db import native_threads
from db.collation import fold

T = TypeVar("T")
P = ParamSpec("P")

_POOL_SIZE = 10  # connections kept; as many again may be opened for a moment
_TRIES = 4
_RETRY_DEADLINE = 0.9  # seconds from the first try until no other is begun
# Seconds that a writer of SQLite waits for those of its process, then for other processes. Both
# together are less than a marker of the video cache lasts, which covers a transaction.
_TURN_TIMEOUT = 6
_BUSY_TIMEOUT = 3
# MySQL's errors for: too many connections, shutdown, network errors, lock timeout, deadlock.
_PASSING = frozenset({1040, 1053, 1158, 1159, 1160, 1161, 1205, 1213})
# The server takes no writes, as it has become a replica. The address leads to another by now.
_READ_ONLY = frozenset({1290, 1836})
_UNREACHED = range(2000, 3000)  # numbers of errors of the client library, such as a lost connection


class DatabaseUnavailable(Exception):
    """The database does not answer, or not in time. A later attempt may succeed."""


class Database:
    """Runs work in transactions.

    :param engine: from :func:`connect`; shared by the threads of a process, not across a fork.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._sqlite_writer = threading.Lock()
        self._first = native_threads.new_lock()
        self._connected = False

    def read(self, work: Callable[[Session], T]) -> T:
        """Run work that changes nothing, and return what it returns.

        :raises DatabaseUnavailable: after a second of trying.
        """
        return self._run(work, writes=False)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run work and commit it; an exception from the work undoes it and passes through.

        :raises DatabaseUnavailable: after a second of trying (SQLite: when other writers have
            kept it waiting for several), or when the commit's answer was lost.
        """
        if not self._is_sqlite:
            return self._run(work, writes=True)
        # One after the other: SQLite lets in whichever writer happens to look first, and of many
        # some would wait for ever. Under gevent those that wait here occupy no native thread.
        if not self._sqlite_writer.acquire(timeout=_TURN_TIMEOUT):
            raise DatabaseUnavailable("other writers took too long")
        try:
            return self._run(work, writes=True)
        finally:
            self._sqlite_writer.release()

    def ping(self) -> None:
        """Check that the database answers.

        :raises DatabaseUnavailable: it does not answer, or refuses this service's user.
        """
        try:
            self.read(lambda session: session.execute(text("SELECT 1")))
        except DBAPIError as error:
            raise DatabaseUnavailable(str(error.orig)) from error

    def _run(self, work: Callable[[Session], T], *, writes: bool) -> T:
        retry = functools.partial(self._retry, work, writes=writes)
        if self._is_sqlite:
            # It would block gevent's loop, and a writer would wait for a greenlet that cannot run.
            return native_threads.run(retry, pool=native_threads.Pool.DATABASE)
        return retry()

    def _connect_first(self) -> None:
        """Open the first connection to SQLite in one thread, while the others wait.

        SQLAlchemy takes locks of its own for it. Under gevent these are gevent's, and one that
        native threads compete for may never be handed on.
        """
        with self._first:
            if not self._connected:
                configure_mappers()
                self.engine.connect().close()
                self._connected = True

    def _retry(self, work: Callable[[Session], T], *, writes: bool) -> T:
        deadline = time.monotonic() + _RETRY_DEADLINE
        for attempt in range(_TRIES):
            try:
                return self._once(work, writes=writes)
            except (DBAPIError, PoolTimeout) as error:
                if not _is_passing(error):
                    raise
                if attempt == _TRIES - 1 or time.monotonic() > deadline:
                    raise DatabaseUnavailable(str(error)) from error
            time.sleep(0.02 * 2**attempt)
        raise AssertionError("unreachable")

    def _once(self, work: Callable[[Session], T], *, writes: bool) -> T:
        if self._is_sqlite and not self._connected:
            self._connect_first()
        with Session(self.engine, expire_on_commit=False) as session:
            session.connection(execution_options={"writes": writes})
            result = work(session)
            session.flush()
            try:
                session.commit()
            except OperationalError as error:
                raise DatabaseUnavailable("the answer to a commit was lost") from error
            return result


def transaction(
    *, writes: bool
) -> Callable[
    [Callable[Concatenate[Session, P], T]], Callable[Concatenate[Session | Database, P], T]
]:
    """Let a rule be called with a database, which runs it in a transaction, or with a session.

    :param writes: whether the transaction is committed; SQLite then takes its lock at once.
    """

    def decorate(
        rule: Callable[Concatenate[Session, P], T],
    ) -> Callable[Concatenate[Session | Database, P], T]:
        @functools.wraps(rule)
        def run(where: Session | Database, /, *args: P.args, **kwargs: P.kwargs) -> T:
            if isinstance(where, Session):
                return rule(where, *args, **kwargs)
            start = where.write if writes else where.read
            return start(lambda session: rule(session, *args, **kwargs))

        return run

    return decorate


def change_rows(session: Session, statement: Update | Delete) -> int:
    """Change or delete rows, and return how many. Objects of the session stay as they are."""
    session.flush()
    return session.connection().execute(statement).rowcount


def _is_passing(error: DBAPIError | PoolTimeout) -> bool:
    """Tell whether an error may be gone at the next try; any other is a bug."""
    if isinstance(error, PoolTimeout) or error.connection_invalidated:
        return True
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return "locked" in str(cause) or "busy" in str(cause) or "unable to open" in str(cause)
    if isinstance(cause, pymysql.err.InterfaceError):
        return True
    if isinstance(cause, pymysql.err.OperationalError):
        number = cause.args[0]
        return number in _PASSING | _READ_ONLY or number in _UNREACHED
    return False


def connect(url: str, *, password: str = "") -> Database:
    """Make a database of a URL. No connection is opened before the first transaction.

    :param url: `mysql+pymysql://user@host/name` or `sqlite:////path/to/file`.
    :param password: kept out of the URL so that it can come from a file and is in no log.
    """
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        pool: dict[str, Any] = {"pool_size": _POOL_SIZE}
        if native_threads.shares_one_thread():
            # A pool that native threads share would use gevent's locks, see `_connect_first`.
            pool = {"poolclass": SingletonThreadPool, "pool_size": 2 * native_threads.THREADS}
        engine = create_engine(where, connect_args={"timeout": _BUSY_TIMEOUT}, **pool)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return Database(engine)
    engine = create_engine(
        where,
        isolation_level="READ COMMITTED",
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_SIZE,
        pool_timeout=1,
        pool_recycle=600,
        connect_args={
            "charset": "utf8mb4",
            # As bytes: the driver would encode a string as Latin-1, and the server expects UTF-8.
            **({"password": password.encode()} if password else {}),
            "connect_timeout": 1,
            "read_timeout": 1.8,
            "write_timeout": 1.8,
            "init_command": "SET time_zone = '+00:00', innodb_lock_wait_timeout = 1",
        },
    )
    event.listen(engine, "handle_error", _leave_replica)
    return Database(engine)


def _leave_replica(context: ExceptionContext) -> None:
    """Drop all connections to a server that has become a replica.

    It keeps them open, so each later transaction would meet it again. New connections lead to the
    server that takes writes.
    """
    cause = context.original_exception
    if isinstance(cause, pymysql.err.MySQLError) and cause.args and cause.args[0] in _READ_ONLY:
        context.is_disconnect = True


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # SQLAlchemy says when a transaction begins (below); the driver's own guess would be too late.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    # Its own `lower` knows ASCII alone; titles are sorted by it, as in MySQL.
    connection.create_function("lower", 1, _of_text(str.lower), deterministic=True)
    # For searches, which pass over accents and case, as MySQL's collation does.
    connection.create_function("fold", 1, _of_text(fold), deterministic=True)


def _of_text(function: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: function(value) if isinstance(value, str) else value


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer half-way can lose to another writer; taking the lock first cannot.
    writes = connection.get_execution_options().get("writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
