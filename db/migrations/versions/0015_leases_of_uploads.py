"""Which host may write to an upload, and the offset that was acknowledged."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
phase = "expand"

label = sa.String(64).with_variant(
    mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql"
)
moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")


def upgrade() -> None:
    op.add_column("uploads", sa.Column("offset", sa.BigInteger()))
    op.add_column(
        "uploads", sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("uploads", sa.Column("locked_by", label))
    op.add_column("uploads", sa.Column("locked_until", moment))


def downgrade() -> None:
    for name in ("locked_until", "locked_by", "fence", "offset"):
        op.drop_column("uploads", name)
