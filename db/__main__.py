"""Commands of the database: `python -m db migrate [--expand]`, `python -m db init-sql`.

`migrate` is Compose's one-shot service. It connects as the user `migrate`, whose password is in the
environment, brings the schema up to date, and gives each service's user its password and rights, so
that a password changed in `.env` holds from the next start on.

`migrate --expand` only adds to schema and rights, so that services of the version before may run
meanwhile and afterwards. Once none is left, `migrate` does the rest.
"""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import OperationalError

from db.grants import GRANTS, apply_grants
from db.schema import INIT_SQL, ContractFirst, expand, init_sql, upgrade

_PATIENCE = 60  # seconds to wait for a database that is still starting


def _secret(environ: Mapping[str, str], name: str) -> str:
    if path := environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").rstrip("\n")
    if value := environ.get(name):
        return value
    sys.exit(f"{name} is not set: put it, or {name}_FILE, into the environment.")


def _wait_for(engine: Engine) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            engine.connect().close()
        except OperationalError as error:
            if time.monotonic() > deadline:
                sys.exit(f"The database does not answer: {error.orig}")
            time.sleep(0.5)
        else:
            return


def migrate(environ: Mapping[str, str], *, only_expand: bool) -> None:
    """Bring schema, users and grants of a MySQL database up to date; doing it twice is harmless.

    :param only_expand: whether services of the version before use the database.
    """
    url = make_url(environ["DATABASE_URL"])
    login = {"password": _secret(environ, "DATABASE_PASSWORD").encode(), "connect_timeout": 2}
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args=login)
    _wait_for(engine)
    passwords = {service: _secret(environ, f"{service.upper()}_DB_PASSWORD") for service in GRANTS}
    with engine.connect() as connection:
        try:
            (expand if only_expand else upgrade)(connection)
        except ContractFirst as error:
            sys.exit(str(error))
        apply_grants(
            connection,
            database=url.database or "matinee",
            passwords=passwords,
            revoke=not only_expand,
        )
        revision = MigrationContext.configure(connection).get_current_revision()
    print(f"The database is at revision {revision}.")


def main(arguments: list[str]) -> None:
    """Run the command named first."""
    match arguments:
        case ["migrate"]:
            migrate(os.environ, only_expand=False)
        case ["migrate", "--expand"]:
            migrate(os.environ, only_expand=True)
        case ["init-sql"]:
            INIT_SQL.write_text(init_sql(), encoding="utf-8")
        case _:
            sys.exit("usage: python -m db migrate [--expand] | init-sql")


if __name__ == "__main__":
    main(sys.argv[1:])
