"""Search: the words of titles and descriptions, and an index for lists by time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from db.search_words import indexed_words

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
phase = "expand"

_BATCH = 500  # videos
_word = sa.String(40).with_variant(
    mysql.VARCHAR(40, charset="utf8mb4", collation="utf8mb4_0900_bin"), "mysql"
)
_public_id = sa.String(22).with_variant(
    mysql.VARCHAR(22, charset="ascii", collation="ascii_bin"), "mysql"
)


def upgrade() -> None:
    words = op.create_table(
        "search_words",
        sa.Column("word", _word, nullable=False),
        sa.Column("video_id", _public_id, nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["videos.id"],
            name=op.f("fk_search_words_video_id_videos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("word", "video_id", name=op.f("pk_search_words")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_words_video_id", "search_words", ["video_id"])
    op.create_index("ix_videos_binned_at_created_at", "videos", ["binned_at", "created_at", "id"])
    op.drop_index("ix_videos_binned_at", table_name="videos")
    if not op.get_context().as_sql:  # a new database, which init.sql makes, has no videos
        _fill(op.get_bind(), words)


def _fill(connection: sa.Connection, words: sa.Table) -> None:
    videos = sa.table("videos", sa.column("id"), sa.column("title"), sa.column("description"))
    last = ""
    while batch := connection.execute(
        sa.select(videos).where(videos.c.id > last).order_by(videos.c.id).limit(_BATCH)
    ).all():
        rows = [
            {"word": word, "video_id": row.id}
            for row in batch
            for word in sorted(indexed_words(row.title, row.description))
        ]
        if rows:
            connection.execute(words.insert(), rows)
        last = batch[-1].id


def downgrade() -> None:
    op.create_index("ix_videos_binned_at", "videos", ["binned_at"])
    op.drop_index("ix_videos_binned_at_created_at", table_name="videos")
    op.drop_table("search_words")
