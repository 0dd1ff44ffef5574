"""Which revision of the schema this version needs, for services, which have no Alembic.

A migration declares its half as `phase`. An `expand` one adds what this version needs and the
version before does not mind; it runs while that version serves. A `contract` one removes what this
version no longer uses; it runs when no service of the version before is left.
"""

import sqlite3

import pymysql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.engine import Database, DatabaseUnavailable

NEEDED = "0016"
"""The newest revision whose migration is an `expand` one. Later revisions have larger numbers."""

_NO_TABLE = frozenset({1142, 1146})  # MySQL: no right to read it, as before; there is none


class SchemaTooOld(Exception):
    """The schema lacks what this version needs; the text says what to do."""


def require_revision(database: Database) -> None:
    """Check that the schema has what this version needs; it may be newer.

    :raises SchemaTooOld: it has not.
    :raises DatabaseUnavailable: the database does not answer, or refuses this service's user.
    """
    try:
        found = database.read(
            lambda session: session.scalar(text("SELECT version_num FROM alembic_version"))
        )
    except DBAPIError as error:
        if not _has_no_table(error):
            raise DatabaseUnavailable(str(error.orig)) from error
        found = None
    if found is None or found < NEEDED:
        state = f"is at revision {found}" if found else "has no revision"
        raise SchemaTooOld(
            f"The database {state}, and this version of Matinee needs {NEEDED}: run this version's"
            " `python -m db migrate` first; see Update in docs/operations.md."
        )


def _has_no_table(error: DBAPIError) -> bool:
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return "no such table" in str(cause)
    return isinstance(cause, pymysql.err.MySQLError) and cause.args[0] in _NO_TABLE
