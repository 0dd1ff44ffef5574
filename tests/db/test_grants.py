"""Each service's MySQL user may do what its service does, and no more."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from db.engine import Database, connect
from db.grants import GRANTS, apply_grants
from db.models import Base
from db.revision import SchemaTooOld, require_revision

_ENTRY = (
    "INSERT INTO audit (at, actor_name, action, object_id, details, address, request_id)"
    " VALUES (UTC_TIMESTAMP(6), '', 'a test', '', '', '', '')"
)
PASSWORDS = {
    "auth": "pässword'1",
    "upload": 'two"2',
    "streaming": "three\\3",
    "transcode": "four%4",
}


def test_every_service_reads_every_table() -> None:
    for rights in GRANTS.values():
        assert set(rights) == {*Base.metadata.tables, "alembic_version"}
        assert all("SELECT" in granted for granted in rights.values())


def test_every_service_adds_to_the_audit_log_and_none_changes_it() -> None:
    assert {tuple(rights["audit"]) for rights in GRANTS.values()} == {("SELECT", "INSERT")}


def test_only_auth_writes_users_and_others_note_when_somebody_was_seen() -> None:
    seen = ("SELECT", "UPDATE (last_seen_at)")
    assert {service: rights["users"] for service, rights in GRANTS.items()} == {
        "auth": ("SELECT", "INSERT", "UPDATE", "DELETE"),
        "upload": seen,
        "streaming": seen,
        "transcode": ("SELECT",),
    }


@pytest.fixture
def run_as(database: Database) -> Callable[[str, str], None]:
    with database.engine.connect() as connection:
        apply_grants(connection, database="matinee", passwords=PASSWORDS)
        connection.commit()

    def run(service: str, statement: str) -> None:
        url = database.engine.url.set(username=service, password=None)
        engine = connect(str(url), password=PASSWORDS[service]).engine
        try:
            with engine.begin() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()

    return run


@pytest.mark.mysql_only
@pytest.mark.parametrize(
    ("service", "statement"),
    [
        ("auth", "UPDATE users SET name = name"),
        ("auth", "DELETE FROM users WHERE id = 0"),
        ("upload", "DELETE FROM videos WHERE id = ''"),
        ("streaming", "UPDATE videos SET title = title"),
        ("streaming", "UPDATE jobs SET state = state"),
        ("transcode", "UPDATE videos SET rejection_reason = rejection_reason"),
        ("transcode", "DELETE FROM renditions WHERE video_id = ''"),
        *((service, _ENTRY) for service in GRANTS),
        *((service, "SELECT version_num FROM alembic_version") for service in GRANTS),
    ],
)
def test_a_service_may_do_its_work(
    run_as: Callable[[str, str], None], service: str, statement: str
) -> None:
    run_as(service, statement)


@pytest.mark.mysql_only
@pytest.mark.parametrize(
    ("service", "statement"),
    [
        ("auth", "UPDATE videos SET title = ''"),
        ("upload", "UPDATE users SET role = 'admin'"),
        ("upload", "UPDATE jobs SET state = 'done'"),
        ("upload", "INSERT INTO renditions (video_id) VALUES ('x')"),
        ("transcode", "DELETE FROM videos"),
        ("transcode", "UPDATE users SET role = 'admin'"),
        ("transcode", "DELETE FROM captions"),
        ("streaming", "DELETE FROM videos"),
        ("streaming", "INSERT INTO uploads (id) VALUES ('x')"),
        ("streaming", "UPDATE users SET role = 'admin'"),
        *((service, "UPDATE audit SET details = ''") for service in GRANTS),
        *((service, "DELETE FROM audit") for service in GRANTS),
        ("auth", "CREATE TABLE mine (id INT)"),
        ("streaming", "SELECT * FROM mysql.user"),
        *((service, "UPDATE alembic_version SET version_num = '9'") for service in GRANTS),
    ],
)
def test_a_service_may_not_do_anothers_work(
    run_as: Callable[[str, str], None], service: str, statement: str
) -> None:
    with pytest.raises((OperationalError, ProgrammingError), match="denied"):
        run_as(service, statement)


@pytest.mark.mysql_only
def test_a_changed_password_holds_after_the_next_start(
    database: Database, run_as: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_as("auth", "SELECT 1")
    with database.engine.connect() as connection:
        changed = PASSWORDS | {"auth": "new"}
        apply_grants(connection, database="matinee", passwords=changed)
        connection.commit()
    with pytest.raises(OperationalError, match="Access denied"):
        run_as("auth", "SELECT 1")
    monkeypatch.setitem(PASSWORDS, "auth", "new")
    run_as("auth", "SELECT 1")


@pytest.mark.mysql_only
def test_beside_services_of_the_version_before_no_right_is_taken_away(
    database: Database, run_as: Callable[[str, str], None]
) -> None:
    with database.engine.connect() as connection:
        connection.execute(text("GRANT DELETE ON matinee.jobs TO auth@'%'"))
        connection.execute(text("REVOKE INSERT ON matinee.audit FROM auth@'%'"))
        apply_grants(connection, database="matinee", passwords=PASSWORDS, revoke=False)
        run_as("auth", "DELETE FROM jobs WHERE id = 0")
        run_as("auth", _ENTRY)
        apply_grants(connection, database="matinee", passwords=PASSWORDS)
    with pytest.raises(OperationalError, match="denied"):
        run_as("auth", "DELETE FROM jobs WHERE id = 0")


@pytest.mark.mysql_only
@pytest.mark.parametrize(
    ("right", "statement"),
    [
        ("UPDATE (title) ON matinee.videos", "UPDATE videos SET title = 'x' WHERE id = ''"),
        ("DELETE ON matinee.*", "DELETE FROM positions"),
    ],
)
def test_rights_of_columns_and_of_all_tables_are_taken_away_too(
    database: Database, run_as: Callable[[str, str], None], right: str, statement: str
) -> None:
    with database.engine.connect() as connection:
        connection.execute(text(f"GRANT {right} TO auth@'%'"))
        run_as("auth", statement)
        apply_grants(connection, database="matinee", passwords=PASSWORDS)
    with pytest.raises((OperationalError, ProgrammingError), match="denied"):
        run_as("auth", statement)


@pytest.mark.mysql_only
def test_a_service_at_work_is_refused_nothing_meanwhile(
    database: Database, run_as: Callable[[str, str], None]
) -> None:
    run_as("auth", "SELECT 1")
    ended = threading.Event()
    refused: list[str] = []

    def work() -> None:
        while not ended.is_set():
            try:
                run_as("auth", "UPDATE users SET name = name")
            except OperationalError as error:
                refused.append(str(error))

    worker = threading.Thread(target=work)
    worker.start()
    with database.engine.connect() as connection:
        for _ in range(5):
            apply_grants(connection, database="matinee", passwords=PASSWORDS)
    ended.set()
    worker.join()
    assert not refused


@pytest.mark.mysql_only
def test_a_user_with_the_rights_of_an_older_version_meets_an_older_schema(
    database: Database, run_as: Callable[[str, str], None]
) -> None:
    run_as("auth", "SELECT 1")
    with database.engine.connect() as connection:
        connection.execute(text("REVOKE SELECT ON matinee.alembic_version FROM auth@'%'"))
    url = database.engine.url.set(username="auth", password=None)
    service = connect(str(url), password=PASSWORDS["auth"])
    with pytest.raises(SchemaTooOld):
        require_revision(service)
    service.engine.dispose()
