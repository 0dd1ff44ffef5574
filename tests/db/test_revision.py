"""Services and the revision of the schema: which they need, and what an update adds first."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import auth_service.app
import streaming_service.app
import upload_service.app
from common.process.schema_check import check_schema
from common.settings import CommonSettings
from db.__main__ import main
from db.engine import Database, DatabaseUnavailable, connect
from db.grants import GRANTS
from db.revision import NEEDED, SchemaTooOld, require_revision
from db.schema import MIGRATIONS, ContractFirst, expand, upgrade

# The newest revision of the release before this one; there is none yet. Raise it at each release.
RELEASED = "0000"


@pytest.fixture
def put_at(database: Database) -> Iterator[Callable[[str], None]]:
    """Writes a revision into the database."""

    def put(revision: str) -> None:
        update = text("UPDATE alembic_version SET version_num = :revision")
        database.write(lambda session: session.execute(update, {"revision": revision}))

    found = revision_of(database)
    yield put
    put(found)


def revision_of(database: Database) -> str:
    with database.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    assert found is not None
    return found


def test_services_need_the_newest_expand_migration() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()  # the newest first
    assert next(s.revision for s in scripts if s.module.phase == "expand") == NEEDED


def test_in_a_release_nothing_is_added_after_something_is_removed() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    phases = [s.module.phase for s in reversed(list(scripts)) if s.revision > RELEASED]
    assert phases == sorted(phases, key=("expand", "contract").index)


@pytest.mark.on_mysql
@pytest.mark.parametrize("revision", [NEEDED, "0999"])
def test_a_schema_may_be_newer(
    database: Database, put_at: Callable[[str], None], revision: str
) -> None:
    put_at(revision)
    require_revision(database)


@pytest.mark.on_mysql
def test_a_schema_may_not_be_older(database: Database, put_at: Callable[[str], None]) -> None:
    put_at("0011")
    with pytest.raises(SchemaTooOld, match=f"at revision 0011, and .* needs {NEEDED}: run"):
        require_revision(database)


@pytest.mark.on_mysql
def test_a_database_without_a_schema_is_too_old(database: Database) -> None:
    def rename(old: str, new: str) -> None:
        statement = text(f"ALTER TABLE {old} RENAME TO {new}")
        database.write(lambda session: session.execute(statement))

    rename("alembic_version", "elsewhere")
    try:
        with pytest.raises(SchemaTooOld, match="has no revision"):
            require_revision(database)
    finally:
        rename("elsewhere", "alembic_version")


@pytest.mark.parametrize("service", [auth_service, upload_service, streaming_service])
def test_a_service_does_not_start_with_an_older_schema(
    common_settings: CommonSettings,
    put_at: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    service: object,
) -> None:
    environ = {
        "DATABASE_URL": common_settings.database_url,
        "REDIS_URL": common_settings.redis_url,
        "STATIC_DIR": str(common_settings.static_dir),
        "VIDEOS_DIR": str(tmp_path),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    put_at("0011")
    with pytest.raises(SchemaTooOld):
        service.app.from_environment()  # type: ignore[attr-defined]


def test_a_database_that_does_not_answer_is_no_reason_not_to_start(
    shared_settings: CommonSettings, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/away/none.db"
    with pytest.raises(DatabaseUnavailable):
        require_revision(connect(url))
    check_schema(CommonSettings(**{**vars(shared_settings), "database_url": url}))


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Database]:
    """A database of the version before."""
    database = connect(f"sqlite:///{tmp_path / 'old.db'}")
    with database.engine.begin() as connection:
        upgrade(connection, "0012")
    yield database
    database.engine.dispose()


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """Migrations to which a test adds some."""
    return shutil.copytree(MIGRATIONS, tmp_path / "migrations")


def add(migrations: Path, revision: str, *, after: str, phase: str) -> None:
    (migrations / "versions" / f"{revision}.py").write_text(
        f"revision, down_revision, phase = '{revision}', '{after}', '{phase}'\n"
        "def upgrade():\n    pass\n"
    )


def test_expanding_ends_before_something_is_removed(old: Database, migrations: Path) -> None:
    add(migrations, "more", after=NEEDED, phase="expand")
    add(migrations, "less", after="more", phase="contract")
    for _ in range(2):
        with old.engine.begin() as connection:
            expand(connection, migrations=migrations)
        assert revision_of(old) == "more"
    assert inspect(old.engine).has_table("leases")


def test_expanding_goes_on_after_what_was_removed_before(old: Database, migrations: Path) -> None:
    with old.engine.begin() as connection:
        upgrade(connection)
    add(migrations, "less", after=NEEDED, phase="contract")
    add(migrations, "more", after="less", phase="expand")
    with old.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'less'"))
        expand(connection, migrations=migrations)
    assert revision_of(old) == "more"


def test_who_leaves_a_version_out_is_told_to_stop_all_services(
    old: Database, migrations: Path
) -> None:
    add(migrations, "less", after=NEEDED, phase="contract")
    add(migrations, "more", after="less", phase="expand")
    with old.engine.begin() as connection, pytest.raises(ContractFirst, match=r"less.*Stop all"):
        expand(connection, migrations=migrations)
    assert revision_of(old) == "0012"


def test_an_empty_database_gets_everything(tmp_path: Path, migrations: Path) -> None:
    add(migrations, "less", after=NEEDED, phase="contract")
    add(migrations, "more", after="less", phase="expand")
    empty = connect(f"sqlite:///{tmp_path / 'empty.db'}")
    with empty.engine.begin() as connection:
        expand(connection, migrations=migrations)
    assert revision_of(empty) == "more"
    empty.engine.dispose()


@pytest.mark.mysql_only
@pytest.mark.parametrize("options", [["--expand"], []])
def test_the_command_says_where_the_database_is(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
) -> None:
    url = database.engine.url
    monkeypatch.setenv("DATABASE_URL", str(url.set(password=None)))
    monkeypatch.setenv("DATABASE_PASSWORD", url.password or "")
    for service in GRANTS:
        monkeypatch.setenv(f"{service.upper()}_DB_PASSWORD", "of a service")
    main(["migrate", *options])
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert capsys.readouterr().out == f"The database is at revision {newest}.\n"
