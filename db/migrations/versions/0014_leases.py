"""Which process does each periodic duty."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
phase = "expand"

moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
label = sa.String(64).with_variant(
    mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql"
)


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("name", label, nullable=False),
        sa.Column("holder", label),
        sa.Column("leased_until", moment),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )


def downgrade() -> None:
    op.drop_table("leases")
