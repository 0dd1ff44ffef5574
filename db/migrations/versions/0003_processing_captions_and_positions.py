"""Jobs, renditions, captions, positions, and what a video's owner sees of its file."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
phase = "expand"


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql"
    )


row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
public_id, label, fingerprint = _ascii(22), _ascii(64), _ascii(64)


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    op.add_column("videos", sa.Column("file_name", sa.String(255)))
    op.add_column("videos", sa.Column("sha256", fingerprint))
    op.add_column(
        "videos",
        sa.Column("downloadable", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("videos", sa.Column("container", label, server_default="mp4", nullable=False))
    op.add_column(
        "videos", sa.Column("playable", sa.Boolean(), server_default=sa.text("1"), nullable=False)
    )
    op.add_column("videos", sa.Column("refusal", sa.String(300)))
    op.create_table(
        "jobs",
        sa.Column("id", row_id, nullable=False),
        sa.Column("video_id", public_id, nullable=False),
        sa.Column(
            "kind",
            _words("jobkind", "check", "pictures", "copy", "audio", "rung"),
            nullable=False,
        ),
        sa.Column("height", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "state", _words("jobstate", "waiting", "running", "done", "failed"), nullable=False
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("worker", label),
        sa.Column("leased_until", moment),
        sa.Column("not_before", moment),
        sa.Column("progress", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("started_at", moment),
        sa.Column("finished_at", moment),
        sa.Column("estimate", sa.Double()),
        sa.Column("seconds", sa.Double()),
        sa.Column("error", sa.String(300)),
        sa.Column("detail", sa.Text()),
        sa.ForeignKeyConstraint(
            ["video_id"], ["videos.id"], name=op.f("fk_jobs_video_id_videos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint(
            "video_id", "kind", "height", name=op.f("uq_jobs_video_id_kind_height")
        ),
    )
    op.create_index("ix_jobs_state_kind_height", "jobs", ["state", "kind", "height"])
    op.create_table(
        "renditions",
        sa.Column("video_id", public_id, nullable=False),
        sa.Column("name", label, nullable=False),
        sa.Column("kind", _words("renditionkind", "video", "audio"), nullable=False),
        sa.Column("codecs", sa.String(64), nullable=False),
        sa.Column("bandwidth", sa.BigInteger(), nullable=False),
        sa.Column("average_bandwidth", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("frame_rate", sa.Double()),
        sa.Column("language", label),
        sa.Column("title", sa.String(64)),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["videos.id"],
            name=op.f("fk_renditions_video_id_videos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("video_id", "name", name=op.f("pk_renditions")),
    )
    op.create_table(
        "captions",
        sa.Column("video_id", public_id, nullable=False),
        sa.Column("language", label, nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("body", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["videos.id"],
            name=op.f("fk_captions_video_id_videos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("video_id", "language", name=op.f("pk_captions")),
    )
    op.create_table(
        "positions",
        sa.Column("user_id", row_id, nullable=False),
        sa.Column("video_id", public_id, nullable=False),
        sa.Column("position_ms", sa.BigInteger(), nullable=False),
        sa.Column("watched_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_positions_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["videos.id"],
            name=op.f("fk_positions_video_id_videos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "video_id", name=op.f("pk_positions")),
    )
    op.create_index("ix_positions_video_id", "positions", ["video_id"])
    # Videos that are there already get their first job.
    op.execute(
        "INSERT INTO jobs (video_id, kind, state, created_at)"
        " SELECT id, 'check', 'waiting', created_at FROM videos WHERE deleted_at IS NULL"
    )


def downgrade() -> None:
    for table in ("positions", "captions", "renditions", "jobs"):
        op.drop_table(table)
    for column in ("refusal", "playable", "container", "downloadable", "sha256", "file_name"):
        op.drop_column("videos", column)
