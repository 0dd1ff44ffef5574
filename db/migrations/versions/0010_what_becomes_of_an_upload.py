"""What its owner wants of a video that is still arriving, and finding an account's equal files."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    op.add_column("uploads", sa.Column("intent", sa.Text()))
    op.create_index("ix_videos_owner_id_sha256", "videos", ["owner_id", "sha256"])


def downgrade() -> None:
    op.drop_index("ix_videos_owner_id_sha256", table_name="videos")
    op.drop_column("uploads", "intent")
