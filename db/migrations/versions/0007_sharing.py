"""Sharing: groups, collections, grants and links; tags; the bin; and the audit log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
phase = "expand"


def _ascii(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql"
    )


row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
public_id, label = _ascii(22), _ascii(64)
name_key = sa.String(120).with_variant(
    mysql.VARCHAR(120, charset="utf8mb4", collation="utf8mb4_0900_bin"), "mysql"
)


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=16)


level = _words("level", "watch", "download", "edit", "share")
group_role = _words("grouprole", "member", "manager")
_TABLES = (
    "audit",
    "groups",
    "tags",
    "group_members",
    "shared_seen",
    "collections",
    "video_tags",
    "collection_items",
    "grants",
    "links",
    "link_visits",
)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", row_id, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor_id", sa.BigInteger()),
        sa.Column("actor_name", sa.String(length=40), nullable=False),
        sa.Column("action", label, nullable=False),
        sa.Column("video_id", public_id),
        sa.Column("object_id", label, nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("request_id", label, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_actor_id_id", "audit", ["actor_id", "id"])
    op.create_index("ix_audit_video_id_id", "audit", ["video_id", "id"])
    op.create_table(
        "groups",
        sa.Column("id", public_id, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("for_everyone", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
    )
    op.create_table(
        "tags",
        sa.Column("id", row_id, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("name_key", name_key, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("name_key", name=op.f("uq_tags_name_key")),
    )
    op.create_table(
        "group_members",
        sa.Column("group_id", public_id, nullable=False),
        sa.Column("user_id", row_id, nullable=False),
        sa.Column("role", group_role, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["groups.id"],
            name=op.f("fk_group_members_group_id_groups"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_group_members_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_members")),
    )
    op.create_index("ix_group_members_user_id", "group_members", ["user_id"])
    op.create_table(
        "shared_seen",
        sa.Column("user_id", row_id, autoincrement=False, nullable=False),
        sa.Column("seen_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_shared_seen_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_shared_seen")),
    )
    op.create_table(
        "collections",
        sa.Column("id", public_id, nullable=False),
        sa.Column("owner_id", row_id, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("cover_id", public_id),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["cover_id"],
            ["videos.id"],
            name=op.f("fk_collections_cover_id_videos"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_collections_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
    )
    op.create_index("ix_collections_owner_id", "collections", ["owner_id"])
    op.create_table(
        "video_tags",
        sa.Column("video_id", public_id, nullable=False),
        sa.Column("tag_id", row_id, nullable=False),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_video_tags_tag_id_tags"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["videos.id"],
            name=op.f("fk_video_tags_video_id_videos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("video_id", "tag_id", name=op.f("pk_video_tags")),
    )
    op.create_index("ix_video_tags_tag_id", "video_tags", ["tag_id"])
    op.create_table(
        "collection_items",
        sa.Column("collection_id", public_id, nullable=False),
        sa.Column("video_id", public_id, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_collection_items_collection_id_collections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["videos.id"],
            name=op.f("fk_collection_items_video_id_videos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", "video_id", name=op.f("pk_collection_items")),
    )
    op.create_index("ix_collection_items_video_id", "collection_items", ["video_id"])
    op.create_table(
        "grants",
        sa.Column("id", public_id, nullable=False),
        sa.Column("video_id", public_id),
        sa.Column("collection_id", public_id),
        sa.Column("user_id", row_id),
        sa.Column("group_id", public_id),
        sa.Column("level", level, nullable=False),
        sa.Column("expires_at", moment),
        sa.Column("granted_by_id", row_id),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint(
            "(user_id IS NULL) <> (group_id IS NULL)", name=op.f("ck_grants_one_subject")
        ),
        sa.CheckConstraint(
            "(video_id IS NULL) <> (collection_id IS NULL)", name=op.f("ck_grants_one_object")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_grants_collection_id_collections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["granted_by_id"],
            ["users.id"],
            name=op.f("fk_grants_granted_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_grants_group_id_groups"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_grants_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["videos.id"], name=op.f("fk_grants_video_id_videos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint(
            "collection_id", "group_id", name=op.f("uq_grants_collection_id_group_id")
        ),
        sa.UniqueConstraint(
            "collection_id", "user_id", name=op.f("uq_grants_collection_id_user_id")
        ),
        sa.UniqueConstraint("video_id", "group_id", name=op.f("uq_grants_video_id_group_id")),
        sa.UniqueConstraint("video_id", "user_id", name=op.f("uq_grants_video_id_user_id")),
    )
    op.create_index("ix_grants_group_id", "grants", ["group_id"])
    op.create_index("ix_grants_user_id", "grants", ["user_id"])
    op.create_table(
        "links",
        sa.Column("id", public_id, nullable=False),
        sa.Column("token_hash", label, nullable=False),
        sa.Column("video_id", public_id),
        sa.Column("collection_id", public_id),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("level", level, nullable=False),
        sa.Column("created_by_id", row_id, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment),
        sa.Column("password_hash", sa.String(length=255)),
        sa.Column("max_views", sa.Integer()),
        sa.Column("view_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_used_at", moment),
        sa.Column("show_title", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("level IN ('watch', 'download')", name=op.f("ck_links_link_level")),
        sa.CheckConstraint(
            "(video_id IS NULL) <> (collection_id IS NULL)", name=op.f("ck_links_one_object")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_links_collection_id_collections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_links_created_by_id_users"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["videos.id"], name=op.f("fk_links_video_id_videos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_links_token_hash")),
    )
    op.create_index("ix_links_collection_id", "links", ["collection_id"])
    op.create_index("ix_links_created_by_id", "links", ["created_by_id"])
    op.create_index("ix_links_video_id", "links", ["video_id"])
    op.create_table(
        "link_visits",
        sa.Column("token_hash", label, nullable=False),
        sa.Column("link_id", public_id, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["link_id"], ["links.id"], name=op.f("fk_link_visits_link_id_links"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_link_visits")),
    )
    op.create_index("ix_link_visits_link_id", "link_visits", ["link_id"])
    op.add_column("videos", sa.Column("binned_at", moment))
    op.create_index("ix_videos_binned_at", "videos", ["binned_at"])


def downgrade() -> None:
    op.drop_index("ix_videos_binned_at", table_name="videos")
    op.drop_column("videos", "binned_at")
    for table in reversed(_TABLES):
        op.drop_table(table)
