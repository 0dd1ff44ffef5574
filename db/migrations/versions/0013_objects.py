"""Files in an object store."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
phase = "expand"


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql"
    )


row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
public_id, label, key, sha256 = _ascii(22), _ascii(64), _ascii(128), _ascii(64)
state = sa.Enum(
    "writing",
    "current",
    "retired",
    name="objectstate",
    native_enum=False,
    create_constraint=True,
    length=16,
)


def upgrade() -> None:
    op.create_table(
        "objects",
        sa.Column("id", row_id, nullable=False),
        sa.Column("video_id", public_id, nullable=False),
        sa.Column("name", label, nullable=False),
        sa.Column("store", label, nullable=False),
        sa.Column("key", key, nullable=False),
        sa.Column("size", sa.BigInteger()),
        sa.Column("sha256", sha256),
        sa.Column("state", state, nullable=False),
        sa.Column("is_current", sa.Boolean()),
        sa.Column("changed_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"], ["videos.id"], name=op.f("fk_objects_video_id_videos")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objects")),
        sa.UniqueConstraint(
            "video_id", "name", "is_current", name=op.f("uq_objects_video_id_name_is_current")
        ),
        sa.UniqueConstraint("store", "key", name=op.f("uq_objects_store_key")),
    )
    op.create_index("ix_objects_state_changed_at", "objects", ["state", "changed_at"])


def downgrade() -> None:
    op.drop_table("objects")
