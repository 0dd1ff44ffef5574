"""Resumable uploads, and the space reserved for them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
phase = "expand"

fingerprint = sa.String(64).with_variant(
    mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql"
)
moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")


def upgrade() -> None:
    volumes = op.create_table(
        "volumes",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volumes")),
    )
    op.bulk_insert(volumes, [{"id": 1}])
    op.add_column("users", sa.Column("quota", sa.BigInteger()))
    op.add_column("uploads", sa.Column("length", sa.BigInteger()))
    op.add_column("uploads", sa.Column("reserved", sa.BigInteger()))
    op.add_column("uploads", sa.Column("details", sa.Text()))
    op.add_column("uploads", sa.Column("file_name", sa.String(255)))
    op.add_column("uploads", sa.Column("fingerprint", fingerprint))
    op.add_column("uploads", sa.Column("expires_at", moment))
    op.add_column("uploads", sa.Column("is_part", sa.Boolean()))
    op.add_column("uploads", sa.Column("parts", sa.Text()))


def downgrade() -> None:
    for column in (
        "parts",
        "is_part",
        "expires_at",
        "fingerprint",
        "file_name",
        "details",
        "reserved",
        "length",
    ):
        op.drop_column("uploads", column)
    op.drop_column("users", "quota")
    op.drop_table("volumes")
