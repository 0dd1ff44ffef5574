"""Rows of older databases survive the migrations."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from db.engine import connect

ROOT = Path(__file__).parents[2]


def config(connection: object) -> Config:
    found = Config()
    found.set_main_option("script_location", str(ROOT / "db/migrations"))
    found.attributes["connection"] = connection
    return found


def test_the_standard_names_keep_every_row(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path / 'old.db'}")
    with database.engine.begin() as connection:
        command.upgrade(config(connection), "0004")
        for statement in (
            "INSERT INTO users (id, name, name_key, password_hash, role, founder, created_at)"
            " VALUES (1, 'alice', 'alice', '-', 'admin', 1, '2026-01-01')",
            "INSERT INTO videos (id, owner_id, title, description, visibility, size, duration_ms,"
            " width, height, video_codec, created_at, updated_at, refusal) VALUES ('v', 1, 't', '',"
            " 'private', 1, 1, 1, 1, 'avc1', '2026-01-01', '2026-01-01', 'It is damaged.')",
            "INSERT INTO jobs (video_id, kind, height, state, created_at, detail)"
            " VALUES ('v', 'rung', 240, 'waiting', '2026-01-01', 'last line'),"
            " ('v', 'pictures', 0, 'done', '2026-01-01', NULL),"
            " ('v', 'copy', 0, 'done', '2026-01-01', NULL)",
        ):
            connection.execute(text(statement))
        command.upgrade(config(connection), "head")
        assert connection.scalar(text("SELECT is_first_account FROM users")) == 1
        assert connection.execute(text("SELECT owner_id, rejection_reason FROM videos")).all() == [
            (1, "It is damaged.")
        ]
        jobs = text("SELECT kind, log_tail FROM jobs ORDER BY id")
        assert connection.execute(jobs).all() == [
            ("rendition", "last line"),
            ("thumbnails", None),
            ("remux", None),
        ]
    database.engine.dispose()
