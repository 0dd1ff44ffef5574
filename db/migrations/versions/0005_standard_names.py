"""Columns and job kinds get standard names."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
phase = "expand"

_COLUMNS = [
    ("users", "founder", "is_first_account"),
    ("uploads", "details", "tus_metadata"),
    ("videos", "refusal", "rejection_reason"),
    ("jobs", "detail", "log_tail"),
]
_KINDS = {"pictures": "thumbnails", "copy": "remux", "rung": "rendition"}
_OLD_KINDS = ("check", "pictures", "copy", "audio", "rung")
_NEW_KINDS = ("check", "remux", "audio", "thumbnails", "rendition")


def upgrade() -> None:
    for table, old, new in _COLUMNS:
        _rename_column(table, old, new)
    _rename_unique("uq_users_founder", "uq_users_is_first_account")
    _change_kinds(_KINDS, _OLD_KINDS, _NEW_KINDS)


def downgrade() -> None:
    _change_kinds({new: old for old, new in _KINDS.items()}, _NEW_KINDS, _OLD_KINDS)
    _rename_unique("uq_users_is_first_account", "uq_users_founder")
    for table, old, new in _COLUMNS:
        _rename_column(table, new, old)


def _rename_column(table: str, old: str, new: str) -> None:
    # MySQL and SQLite both rename in place. Alembic would recreate SQLite's table, and dropping the
    # old `users` would delete the rows that refer to it.
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")


def _rename_unique(old: str, new: str) -> None:
    if op.get_context().dialect.name == "mysql":
        op.execute(f"ALTER TABLE users RENAME INDEX {old} TO {new}")
    else:
        _edit_sqlite_schema("users", old, new)


def _change_kinds(words: dict[str, str], old: tuple[str, ...], new: tuple[str, ...]) -> None:
    both = tuple(dict.fromkeys(old + new))
    _change_check(old, both)
    for before, after in words.items():
        op.execute(f"UPDATE jobs SET kind = '{after}' WHERE kind = '{before}'")
    _change_check(both, new)


def _change_check(old: tuple[str, ...], new: tuple[str, ...]) -> None:
    if op.get_context().dialect.name == "mysql":
        op.execute("ALTER TABLE jobs DROP CHECK ck_jobs_jobkind")
        op.execute(f"ALTER TABLE jobs ADD CONSTRAINT ck_jobs_jobkind CHECK (kind IN ({_sql(new)}))")
    else:
        _edit_sqlite_schema("jobs", _sql(old), _sql(new))


def _sql(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _edit_sqlite_schema(table: str, old: str, new: str) -> None:
    """Change a constraint, which SQLite stores in the text of the table's definition.

    See https://www.sqlite.org/lang_altertable.html, section 8.
    """
    quoted = [part.replace("'", "''") for part in (old, new)]
    op.execute("PRAGMA writable_schema = ON")
    op.execute(
        f"UPDATE sqlite_master SET sql = replace(sql, '{quoted[0]}', '{quoted[1]}')"
        f" WHERE type = 'table' AND name = '{table}'"
    )
    op.execute("PRAGMA writable_schema = RESET")
