"""Videos without duration, frame size and codec: Matroska is measured by the check job.

SQLite cannot change a column. The usual way, to build the table again, would delete the jobs and
renditions of every video by their foreign keys, so each column is replaced by a nullable one.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
phase = "expand"

_COLUMNS: dict[str, tuple[sa.types.TypeEngine[Any], object]] = {
    "duration_ms": (sa.BigInteger(), 0),
    "width": (sa.Integer(), 0),
    "height": (sa.Integer(), 0),
    "video_codec": (sa.String(64), ""),
}
"""Types, and what stands for an unknown value where there must be one."""


def upgrade() -> None:
    for name, (kind, _) in _COLUMNS.items():
        if op.get_context().dialect.name != "sqlite":
            op.alter_column("videos", name, existing_type=kind, nullable=True)
            continue
        op.add_column("videos", sa.Column(f"new_{name}", kind, nullable=True))
        op.execute(_videos(name).update().values({f"new_{name}": sa.column(name)}))
        op.execute(f"ALTER TABLE videos DROP COLUMN {name}")
        op.execute(f"ALTER TABLE videos RENAME COLUMN new_{name} TO {name}")


def downgrade() -> None:
    for name, (kind, unknown) in _COLUMNS.items():
        videos = _videos(name)
        op.execute(videos.update().where(videos.c[name].is_(None)).values({name: unknown}))
        if op.get_context().dialect.name != "sqlite":
            op.alter_column("videos", name, existing_type=kind, nullable=False)


def _videos(name: str) -> sa.TableClause:
    return sa.table("videos", sa.column(name), sa.column(f"new_{name}"))
