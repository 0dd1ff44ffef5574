"""Chosen posters, and when a video was watched to its end."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
phase = "expand"

_moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
_public_id = sa.String(22).with_variant(
    mysql.VARCHAR(22, charset="ascii", collation="ascii_bin"), "mysql"
)
_image = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")
_OLD_KINDS = ("check", "remux", "audio", "thumbnails", "rendition")
_NEW_KINDS = ("poster", *_OLD_KINDS)


def upgrade() -> None:
    op.add_column("positions", sa.Column("finished_at", _moment))
    op.add_column(
        "videos",
        sa.Column("poster_version", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.create_table(
        "poster_choices",
        sa.Column("video_id", _public_id, nullable=False),
        sa.Column("at_ms", sa.BigInteger()),
        sa.Column("image", _image),
        sa.Column("created_at", _moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["videos.id"],
            name=op.f("fk_poster_choices_video_id_videos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("video_id", name=op.f("pk_poster_choices")),
    )
    _change_check(_OLD_KINDS, _NEW_KINDS)


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE kind = 'poster'")
    _change_check(_NEW_KINDS, _OLD_KINDS)
    op.drop_table("poster_choices")
    op.drop_column("videos", "poster_version")
    op.drop_column("positions", "finished_at")


def _change_check(old: tuple[str, ...], new: tuple[str, ...]) -> None:
    if op.get_context().dialect.name == "mysql":
        op.execute("ALTER TABLE jobs DROP CHECK ck_jobs_jobkind")
        op.execute(f"ALTER TABLE jobs ADD CONSTRAINT ck_jobs_jobkind CHECK (kind IN ({_sql(new)}))")
        return
    # SQLite stores a constraint in the text of the table's definition.
    # See https://www.sqlite.org/lang_altertable.html, section 8.
    quoted = [_sql(words).replace("'", "''") for words in (old, new)]
    op.execute("PRAGMA writable_schema = ON")
    op.execute(
        f"UPDATE sqlite_master SET sql = replace(sql, '{quoted[0]}', '{quoted[1]}')"
        " WHERE type = 'table' AND name = 'jobs'"
    )
    op.execute("PRAGMA writable_schema = RESET")


def _sql(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)
