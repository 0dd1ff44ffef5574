"""Accounts."""

import enum
from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import NAME_LIMIT, Base, NameKey, RowId, UTCDateTime, now, words


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
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # True for the first account, NULL for the others. It is unique, so that exactly one of several
    # simultaneous first registrations becomes the administrator.
    is_first_account: Mapped[bool | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    # Bytes of this account's videos and uploads, at most; NULL is the default quota, NO_QUOTA no
    # limit.
    quota: Mapped[int | None] = mapped_column(BigInteger)
    # Of `common.translation.LANGUAGES`; NULL is that of the browser.
    language: Mapped[str | None] = mapped_column(String(8))
