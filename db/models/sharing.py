"""Sharing: groups, collections, grants and links; tags; and the audit log."""

import enum
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import (
    NAME_LIMIT,
    TITLE_LIMIT,
    Base,
    CollectionId,
    GroupId,
    Label,
    NameKey,
    PublicId,
    RowId,
    Sha256Hex,
    UserId,
    VideoId,
    now,
    words,
)

LABEL_LIMIT = 100
"""Characters of a link's label, and of a group's name."""
TAG_LIMIT = 40
"""Characters of a tag."""


class Level(enum.StrEnum):
    """What a grant or link allows. Each level includes the ones before it.

    `watch` is HLS only; `download` adds the original; `edit` changes titles, captions and tags;
    `share` decides who else may watch.
    """

    WATCH = "watch"
    DOWNLOAD = "download"
    EDIT = "edit"
    SHARE = "share"


class GroupRole(enum.StrEnum):
    """What a member of a group may do: a manager changes the group and its members."""

    MEMBER = "member"
    MANAGER = "manager"


def _one_object() -> CheckConstraint:
    """Return the rule that a row names a video or a collection, and not both."""
    return CheckConstraint("(video_id IS NULL) <> (collection_id IS NULL)", name="one_object")


class Group(Base):
    """People who are named together. A group for everyone was made by an administrator."""

    __tablename__ = "groups"

    id: Mapped[str] = mapped_column(PublicId, primary_key=True)
    name: Mapped[str] = mapped_column(String(LABEL_LIMIT))
    for_everyone: Mapped[bool] = mapped_column(default=False, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(default=now)


class GroupMember(Base):
    """A member of a group."""

    __tablename__ = "group_members"
    __table_args__ = (Index("ix_group_members_user_id", "user_id"),)

    group_id: Mapped[GroupId] = mapped_column(primary_key=True)
    user_id: Mapped[UserId] = mapped_column(primary_key=True)
    role: Mapped[GroupRole] = mapped_column(words(GroupRole), default=GroupRole.MEMBER)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Collection(Base):
    """An ordered list of videos, which is shared as a whole."""

    __tablename__ = "collections"

    id: Mapped[str] = mapped_column(PublicId, primary_key=True)
    owner_id: Mapped[UserId] = mapped_column(index=True)
    title: Mapped[str] = mapped_column(String(TITLE_LIMIT))
    description: Mapped[str] = mapped_column(Text, default="")
    # The video whose poster is the cover; None: the first one's.
    cover_id: Mapped[str | None] = mapped_column(ForeignKey("videos.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class CollectionItem(Base):
    """A video of a collection. The items are ordered by `place`, then by `created_at`."""

    __tablename__ = "collection_items"
    __table_args__ = (Index("ix_collection_items_video_id", "video_id"),)

    collection_id: Mapped[CollectionId] = mapped_column(primary_key=True)
    video_id: Mapped[VideoId] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Grant(Base):
    """One object (a video or a collection) shared with one subject (a user or a group)."""

    __tablename__ = "grants"
    __table_args__ = (
        _one_object(),
        CheckConstraint("(user_id IS NULL) <> (group_id IS NULL)", name="one_subject"),
        UniqueConstraint("video_id", "user_id"),
        UniqueConstraint("video_id", "group_id"),
        UniqueConstraint("collection_id", "user_id"),
        UniqueConstraint("collection_id", "group_id"),
        Index("ix_grants_user_id", "user_id"),
        Index("ix_grants_group_id", "group_id"),
    )

    id: Mapped[str] = mapped_column(PublicId, primary_key=True)
    video_id: Mapped[VideoId | None]
    collection_id: Mapped[CollectionId | None]
    user_id: Mapped[UserId | None]
    group_id: Mapped[GroupId | None]
    level: Mapped[Level] = mapped_column(words(Level))
    expires_at: Mapped[datetime | None]
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Link(Base):
    """A share link to one video or one collection. Its token is stored as a hash.

    A link that is revoked is deleted, and its visits with it.
    """

    __tablename__ = "links"
    __table_args__ = (
        _one_object(),
        CheckConstraint("level IN ('watch', 'download')", name="link_level"),
        Index("ix_links_video_id", "video_id"),
        Index("ix_links_collection_id", "collection_id"),
    )

    id: Mapped[str] = mapped_column(PublicId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(Sha256Hex, unique=True)
    video_id: Mapped[VideoId | None]
    collection_id: Mapped[CollectionId | None]
    label: Mapped[str] = mapped_column(String(LABEL_LIMIT), default="")
    level: Mapped[Level] = mapped_column(words(Level), default=Level.WATCH)
    created_by_id: Mapped[UserId] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    password_hash: Mapped[str | None] = mapped_column(String(255))
    # How often it may be opened, and how often it was.
    max_views: Mapped[int | None] = mapped_column(Integer)
    view_count: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    last_used_at: Mapped[datetime | None]
    # Whether the page before it is opened, and so a chat program's preview, shows the title.
    show_title: Mapped[bool] = mapped_column(default=False, server_default=text("0"))


class LinkVisit(Base):
    """A browser that has opened a link. Its cookie holds a token, stored here as a hash."""

    __tablename__ = "link_visits"
    __table_args__ = (Index("ix_link_visits_link_id", "link_id"),)

    token_hash: Mapped[str] = mapped_column(Sha256Hex, primary_key=True)
    link_id: Mapped[str] = mapped_column(ForeignKey("links.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=now)


class SharedSeen(Base):
    """When a user last looked at what others share with them; newer grants are marked."""

    __tablename__ = "shared_seen"

    user_id: Mapped[UserId] = mapped_column(primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime] = mapped_column(default=now)


class Tag(Base):
    """A word that videos are marked with. `name_key` is how it is compared (NFKC, case-folded)."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(TAG_LIMIT))
    name_key: Mapped[str] = mapped_column(NameKey, unique=True)


class VideoTag(Base):
    """A tag of a video."""

    __tablename__ = "video_tags"
    __table_args__ = (Index("ix_video_tags_tag_id", "tag_id"),)

    video_id: Mapped[VideoId] = mapped_column(primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)


class AuditEntry(Base):
    """Something that somebody changed. Entries outlive what they name, so they refer to no row."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_video_id_id", "video_id", "id"),
        Index("ix_audit_actor_id_id", "actor_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[int | None] = mapped_column(BigInteger)  # None: nobody was signed in
    actor_name: Mapped[str] = mapped_column(String(NAME_LIMIT), default="")
    action: Mapped[str] = mapped_column(Label)  # "grant.created"; see `common.audit`
    video_id: Mapped[str | None] = mapped_column(PublicId)
    object_id: Mapped[str] = mapped_column(Label, default="")  # of the grant, link, group, account
    details: Mapped[str] = mapped_column(Text, default="{}")  # JSON
    address: Mapped[str] = mapped_column(String(64), default="")
    request_id: Mapped[str] = mapped_column(Label, default="")
