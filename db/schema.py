"""Bring a database to the newest schema, and generate `init.sql`, both from the migrations.

Which of the two halves a migration is of, `expand` or `contract`, is told in `db/revision.py`.
"""

import io
from collections.abc import Iterable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection

HERE = Path(__file__).parent
INIT_SQL = HERE / "init.sql"
MIGRATIONS = HERE / "migrations"

_HEADER = """\
-- Generated from the migrations by `make init-sql`; do not edit.
-- MySQL's container runs this once, on an empty volume. Older volumes are brought up to date by
-- `python -m db migrate`, which also makes the services' users.
"""


class ContractFirst(Exception):
    """What a version needs comes after a `contract` migration; the text says what to do."""


def _config(output: io.StringIO | None = None, *, migrations: Path = MIGRATIONS) -> Config:
    config = Config(output_buffer=output or io.StringIO(), stdout=io.StringIO())
    config.set_main_option("script_location", str(migrations))
    return config


def expand(connection: Connection, *, migrations: Path = MIGRATIONS) -> None:
    """Run those migrations that services of the version before do not mind.

    These are the `expand` migrations up to the first `contract` one that this database has not had.
    An empty database gets all migrations, as nothing uses it.

    :param migrations: the folder of the migrations.
    :raises ContractFirst: an `expand` migration comes later; nothing was done.
    """
    config = _config(migrations=migrations)
    config.attributes["connection"] = connection
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        command.upgrade(config, "head")
    elif target := _expansion(ScriptDirectory.from_config(config).iterate_revisions("head", found)):
        command.upgrade(config, target)


def _expansion(newest_first: Iterable[Script]) -> str | None:
    target = contract = None
    for script in reversed(list(newest_first)):
        if script.module.phase != "expand":
            contract = contract or script.revision
        elif contract is None:
            target = script.revision
        else:
            raise ContractFirst(
                f"The migration {contract} removes what older versions of Matinee use, and this"
                " version needs later ones. Stop all services, and run `python -m db migrate`."
            )
    return target


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run every migration up to a revision that this database has not had yet."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def init_sql() -> str:
    """Return the SQL that brings an empty MySQL database to the newest revision."""
    output = io.StringIO()
    command.upgrade(_config(output), "head", sql=True)
    lines = (line.rstrip() for line in output.getvalue().splitlines())
    return _HEADER + "\n" + "\n".join(lines).strip() + "\n"
