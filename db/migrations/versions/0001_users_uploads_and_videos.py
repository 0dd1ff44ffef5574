"""Users, uploads and videos."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
phase = "expand"

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
public_id = sa.String(22).with_variant(
    mysql.VARCHAR(22, charset="ascii", collation="ascii_bin"), "mysql"
)
name_key = sa.String(120).with_variant(
    mysql.VARCHAR(120, charset="utf8mb4", collation="utf8mb4_0900_bin"), "mysql"
)
moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")


def words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", row_id, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("name_key", name_key, nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("role", words("role", "viewer", "uploader", "admin"), nullable=False),
        sa.Column("disabled_at", moment),
        sa.Column("founder", sa.Boolean()),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("founder", name=op.f("uq_users_founder")),
        sa.UniqueConstraint("name_key", name=op.f("uq_users_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "uploads",
        sa.Column("id", public_id, nullable=False),
        sa.Column("owner_id", row_id, nullable=False),
        sa.Column("submission", public_id),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_uploads_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_owner_id"), "uploads", ["owner_id"])
    op.create_table(
        "videos",
        sa.Column("id", public_id, nullable=False),
        sa.Column("owner_id", row_id),
        sa.Column("submission", public_id),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "visibility", words("visibility", "private", "members", "public"), nullable=False
        ),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("video_codec", sa.String(64), nullable=False),
        sa.Column("audio_codec", sa.String(64)),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("deleted_at", moment),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_videos_owner_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_videos")),
        sa.UniqueConstraint("owner_id", "submission", name=op.f("uq_videos_owner_id_submission")),
    )
    op.create_index("ix_videos_deleted_at", "videos", ["deleted_at"])
    op.create_index("ix_videos_visibility_created_at", "videos", ["visibility", "created_at"])


def downgrade() -> None:
    op.drop_table("videos")
    op.drop_table("uploads")
    op.drop_table("users")
