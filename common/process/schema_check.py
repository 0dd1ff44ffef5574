"""Keeps a service from starting with a database that is older than it."""

from common.settings import CommonSettings
from db.engine import DatabaseUnavailable, connect
from db.revision import require_revision


def check_schema(settings: CommonSettings) -> None:
    """Check that the database has what this version needs.

    A database that does not answer is no reason not to start.

    :raises SchemaTooOld: it has not.
    """
    database = connect(settings.database_url, password=settings.database_password)
    try:
        require_revision(database)
    except DatabaseUnavailable:
        pass
    finally:
        database.engine.dispose()
