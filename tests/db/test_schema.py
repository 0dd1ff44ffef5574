"""Models, migrations and init.sql say the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError

from db.engine import Database, connect
from db.models import Base, Role, User, Video, now
from db.schema import INIT_SQL, MIGRATIONS, init_sql, upgrade

pytestmark = pytest.mark.on_mysql


def test_migrations_lead_to_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def test_init_sql_is_what_the_migrations_generate() -> None:
    assert INIT_SQL.read_text(encoding="utf-8") == init_sql()


@pytest.fixture
def second_database(database: Database) -> Iterator[str]:
    url = database.engine.url.set(database="from_init_sql")
    with database.engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS from_init_sql"))
        connection.execute(text("CREATE DATABASE from_init_sql"))
    yield url.render_as_string(hide_password=False)
    with database.engine.connect() as connection:
        connection.execute(text("DROP DATABASE from_init_sql"))


@pytest.mark.mysql_only
def test_init_sql_gives_what_the_migrations_give(database: Database, second_database: str) -> None:
    engine = create_engine(second_database)
    with engine.begin() as connection:
        for statement in INIT_SQL.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                connection.execute(text(statement))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    ours, theirs = inspect(database.engine), inspect(engine)
    for table in Base.metadata.tables:
        for look in ("get_columns", "get_indexes", "get_foreign_keys", "get_check_constraints"):
            assert repr(getattr(ours, look)(table)) == repr(getattr(theirs, look)(table)), table
        options = theirs.get_table_options(table)
        assert options["mysql_default charset"] == "utf8mb4"
    engine.dispose()


def test_a_migration_of_videos_keeps_what_refers_to_them(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path / 'old.db'}")
    videos = "INSERT INTO videos (id, title, description, visibility, size, duration_ms, width,"
    with database.engine.begin() as connection:
        upgrade(connection, "0004")
        connection.execute(
            text(
                f"{videos} height, video_codec, created_at, updated_at) VALUES"
                " ('v', 't', '', 'private', 1, 2000, 640, 360, 'vp9', '2026-11-14', '2026-11-14')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO jobs (video_id, kind, state, created_at) VALUES"
                " ('v', 'check', 'waiting', '2026-11-14')"
            )
        )
    with database.engine.begin() as connection:
        upgrade(connection)
        row = connection.execute(
            text("SELECT duration_ms, width, height, video_codec FROM videos")
        ).one()
        jobs = connection.execute(text("SELECT count(*) FROM jobs")).scalar_one()
    database.engine.dispose()

    assert tuple(row) == (2000, 640, 360, "vp9")
    assert jobs == 1


def test_what_the_check_measures_may_be_unknown_before(database: Database) -> None:
    database.write(lambda session: session.add(Video(id="v" * 22, title="t", size=1)))

    video = database.read(lambda session: session.get_one(Video, "v" * 22))
    assert (video.duration_ms, video.width, video.height, video.video_codec) == (None,) * 4


def user(name: str, **fields: object) -> User:
    return User(name=name, name_key=name, password_hash="x", role=Role.UPLOADER, **fields)


def test_deleting_an_owner_leaves_the_video_to_nobody(database: Database) -> None:
    def fill(session: object) -> None:
        owner = user("alice")
        session.add(owner)  # type: ignore[attr-defined]
        session.flush()  # type: ignore[attr-defined]
        facts = {"size": 1, "duration_ms": 1, "width": 1, "height": 1, "video_codec": "avc1"}
        session.add(Video(id="v" * 22, owner_id=owner.id, title="t", **facts))  # type: ignore[attr-defined]

    database.write(fill)
    database.write(lambda session: session.execute(text("DELETE FROM users")))
    assert database.read(lambda session: session.get_one(Video, "v" * 22).owner_id) is None


def test_only_one_account_is_the_first(database: Database) -> None:
    database.write(lambda session: session.add(user("alice", is_first_account=True)))
    database.write(lambda session: session.add_all([user("bob"), user("charlie")]))
    with pytest.raises(IntegrityError):
        database.write(lambda session: session.add(user("dora", is_first_account=True)))


def test_a_role_that_does_not_exist_is_refused(database: Database) -> None:
    database.write(lambda session: session.add(user("alice")))
    with pytest.raises((IntegrityError, OperationalError)):
        database.write(lambda session: session.execute(text("UPDATE users SET role = 'king'")))


def test_names_compare_exactly(database: Database) -> None:
    database.write(lambda session: session.add_all([user("rene"), user("rené"), user("Rene")]))


def test_times_come_back_with_their_zone_and_microseconds(database: Database) -> None:
    moment = now()
    database.write(lambda session: session.add(user("alice", created_at=moment)))
    found = database.read(lambda session: session.query(User).one().created_at)
    assert found == moment
    assert found.tzinfo is not None


def test_migrations_are_one_line(tmp_path: Path) -> None:
    versions = list((INIT_SQL.parent / "migrations/versions").glob("*.py"))
    assert sorted(path.name[:4] for path in versions) == [
        f"{number:04}" for number in range(1, len(versions) + 1)
    ]
