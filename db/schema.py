"""Bring a database to the newest schema, and generate `init.sql`, both from the migrations."""

import io
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

HERE = Path(__file__).parent
INIT_SQL = HERE / "init.sql"

_HEADER = """\
-- Generated from the migrations by `make init-sql`; do not edit.
-- MySQL's container runs this once, on an empty volume. Older volumes are brought up to date by
-- `python -m db migrate`, which also makes the services' users.
"""


def _config(output: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=output or io.StringIO(), stdout=io.StringIO())
    config.set_main_option("script_location", str(HERE / "migrations"))
    return config


def newest_revision() -> str:
    """Return the revision that the newest migration leads to."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise RuntimeError("there are no migrations")
    return head


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
