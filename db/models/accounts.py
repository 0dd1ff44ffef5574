"""Accounts, how people get one, and the settings of the site."""

import enum
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import (
    NAME_LIMIT,
    Base,
    GroupId,
    ImageBytes,
    Label,
    NameKey,
    PublicId,
    RowId,
    Sha256Hex,
    UserId,
    now,
    words,
)
from db.models.sharing import LABEL_LIMIT


class Role(enum.StrEnum):
    """What an account may do. Each role includes the ones before it."""

    VIEWER = "viewer"
    UPLOADER = "uploader"
    ADMIN = "admin"


class User(Base):
    """An account. `name_key` is the name as it is compared (NFKC, case-folded)."""

    __tablename__ = "users"
    # The id of an account that was deleted is not given to another; MySQL never does.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LIMIT))
    name_key: Mapped[str] = mapped_column(NameKey, unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[Role] = mapped_column(words(Role))
    disabled_at: Mapped[datetime | None]
    # True for the first account, NULL for the others. It is unique, so that exactly one of several
    # simultaneous first registrations becomes the administrator.
    is_first_account: Mapped[bool | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    # Bytes of this account's videos and uploads, at most; NULL is the default quota, NO_QUOTA no
    # limit.
    quota: Mapped[int | None] = mapped_column(BigInteger)
    # Of `common.translation.LANGUAGES`; NULL is that of the browser.
    language: Mapped[str | None] = mapped_column(String(8))
    # When it was last signed in and in use, to within some minutes; see `common.web.last_seen`.
    last_seen_at: Mapped[datetime | None]


class Invitation(Base):
    """A link that lets people make accounts. Its token is stored as a hash.

    It works while whoever made it is an administrator.
    """

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(PublicId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(Sha256Hex, unique=True)
    label: Mapped[str] = mapped_column(String(LABEL_LIMIT), default="")
    role: Mapped[Role] = mapped_column(words(Role))  # of the accounts; never an administrator's
    # How many accounts it makes at most, and how many it has made.
    max_uses: Mapped[int | None] = mapped_column(Integer)
    uses: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    created_by_id: Mapped[UserId] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class InvitationGroup(Base):
    """A group that the accounts of an invitation join."""

    __tablename__ = "invitation_groups"

    invitation_id: Mapped[str] = mapped_column(
        ForeignKey("invitations.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[GroupId] = mapped_column(primary_key=True, index=True)


class PasswordLink(Base):
    """A link with which somebody sets a new password, once. Its token is stored as a hash.

    An account has one at most. It works while whoever made it is an administrator.
    """

    __tablename__ = "password_links"

    user_id: Mapped[UserId] = mapped_column(primary_key=True, autoincrement=False)
    token_hash: Mapped[str] = mapped_column(Sha256Hex, unique=True)
    created_by_id: Mapped[UserId] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class Setting(Base):
    """A setting of the site that an administrator has changed; see `common.site_settings`."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(Label, primary_key=True)
    value: Mapped[str] = mapped_column(Text)  # JSON
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class Logo(Base):
    """The site's logo, a PNG file, by its SHA-256. The setting `logo` says which one is shown."""

    __tablename__ = "logos"

    sha256: Mapped[str] = mapped_column(Sha256Hex, primary_key=True)
    content: Mapped[bytes] = mapped_column(ImageBytes)
