"""Uploads whose bytes are in the object store: their parts, and what follows the last of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
phase = "expand"


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql"
    )


public_id, key = _ascii(22), _ascii(128)


def upgrade() -> None:
    op.add_column("uploads", sa.Column("part_size", sa.BigInteger()))
    op.add_column("uploads", sa.Column("multipart_key", key))
    op.add_column("uploads", sa.Column("multipart_id", sa.Text()))
    op.add_column("uploads", sa.Column("part_numbers", sa.Integer()))
    op.add_column("uploads", sa.Column("tail_key", key))
    op.create_table(
        "upload_parts",
        sa.Column("upload_id", public_id, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("etag", key, nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"],
            ["uploads.id"],
            name=op.f("fk_upload_parts_upload_id_uploads"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("upload_id", "number", name=op.f("pk_upload_parts")),
    )


def downgrade() -> None:
    op.drop_table("upload_parts")
    for name in ("tail_key", "part_numbers", "multipart_id", "multipart_key", "part_size"):
        op.drop_column("uploads", name)
