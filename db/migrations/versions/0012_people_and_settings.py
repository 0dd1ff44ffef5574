"""Settings of the site, its logo, invitations, password links, and when people were last seen."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
phase = "expand"


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql"
    )


row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
picture = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")
public_id, label, sha256 = _ascii(22), _ascii(64), _ascii(64)
role = sa.Enum(
    "viewer",
    "uploader",
    "admin",
    name="role",
    native_enum=False,
    create_constraint=True,
    length=16,
)


def upgrade() -> None:
    op.add_column("users", sa.Column("last_seen_at", moment))
    op.add_column("volumes", sa.Column("size", sa.BigInteger()))
    op.add_column("volumes", sa.Column("free", sa.BigInteger()))
    op.add_column("volumes", sa.Column("measured_at", moment))
    op.create_table(
        "settings",
        sa.Column("key", label, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("updated_by_id", row_id),
        _user("settings", "updated_by_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_settings")),
    )
    op.create_table(
        "logos",
        sa.Column("sha256", sha256, nullable=False),
        sa.Column("content", picture, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_logos")),
    )
    op.create_table(
        "invitations",
        sa.Column("id", public_id, nullable=False),
        sa.Column("token_hash", sha256, nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("role", role, nullable=False),
        sa.Column("max_uses", sa.Integer()),
        sa.Column("uses", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_by_id", row_id, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment),
        sa.Column("revoked_at", moment),
        _user("invitations", "created_by_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    op.create_index("ix_invitations_created_by_id", "invitations", ["created_by_id"])
    op.create_table(
        "invitation_groups",
        sa.Column("invitation_id", public_id, nullable=False),
        sa.Column("group_id", public_id, nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation_id"],
            ["invitations.id"],
            name=op.f("fk_invitation_groups_invitation_id_invitations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["groups.id"],
            name=op.f("fk_invitation_groups_group_id_groups"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("invitation_id", "group_id", name=op.f("pk_invitation_groups")),
    )
    op.create_index("ix_invitation_groups_group_id", "invitation_groups", ["group_id"])
    op.create_table(
        "password_links",
        sa.Column("user_id", row_id, autoincrement=False, nullable=False),
        sa.Column("token_hash", sha256, nullable=False),
        sa.Column("created_by_id", row_id, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        _user("password_links", "user_id", ondelete="CASCADE"),
        _user("password_links", "created_by_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_password_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_links_token_hash")),
    )
    op.create_index("ix_password_links_created_by_id", "password_links", ["created_by_id"])


def _user(table: str, column: str, *, ondelete: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_users")
    return sa.ForeignKeyConstraint([column], ["users.id"], name=name, ondelete=ondelete)


def downgrade() -> None:
    for table in ("password_links", "invitation_groups", "invitations", "logos", "settings"):
        op.drop_table(table)
    for column in ("measured_at", "free", "size"):
        op.drop_column("volumes", column)
    op.drop_column("users", "last_seen_at")
