"""What the models share: the base class, and the types of columns."""

import enum
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Dialect,
    Enum,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy import DateTime as NaiveDateTime
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, mapped_column

TITLE_LIMIT = 200
DESCRIPTION_LIMIT = 5000
NAME_LIMIT = 40
FILE_NAME_LIMIT = 255
REJECTION_LIMIT = 300
NO_QUOTA = (1 << 63) - 1
"""The quota of an account without a limit: more bytes than any disk has."""
CAPTION_LIMIT = 1 << 20
"""Bytes of a caption track, at most."""

POSTER_LIMIT = 5 << 20
"""Bytes of an image that is uploaded as a poster, at most."""


def ascii_text(length: int) -> String:
    """Compare byte by byte: MySQL's default collation would equate `a` and `A`."""
    exact = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return String(length).with_variant(exact, "mysql")


def exact_text(length: int) -> String:
    """Compare texts of all scripts as they are, accents, case and blanks included."""
    exact = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_0900_bin")
    return String(length).with_variant(exact, "mysql")


PublicId = ascii_text(22)
Sha256Hex = ascii_text(64)
ObjectKey = ascii_text(128)
Label = ascii_text(64)  # generated names (renditions, workers) and language tags
# MySQL's TEXT holds 64 KiB.
LongerText = Text().with_variant(mysql.MEDIUMTEXT(), "mysql")
ImageBytes = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")
# Names are normalised before they are stored, so the column compares exactly, blanks included.
NameKey = exact_text(NAME_LIMIT * 3)
# SQLite numbers rows by itself only in an INTEGER primary key.
RowId = BigInteger().with_variant(Integer(), "sqlite")

# A row with one of these goes when what it refers to goes.
UserId = Annotated[int, mapped_column(ForeignKey("users.id", ondelete="CASCADE"))]
GroupId = Annotated[str, mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))]
VideoId = Annotated[str, mapped_column(ForeignKey("videos.id", ondelete="CASCADE"))]
CollectionId = Annotated[str, mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))]


class UTCDateTime(TypeDecorator[datetime]):
    """A time with microseconds, stored as UTC without a zone, since neither database stores one."""

    impl = NaiveDateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert an aware time to UTC. A naive one is an error: its zone is unknown."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Mark the stored time as UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


def now() -> datetime:
    """Return the current time, as an aware time in UTC."""
    return datetime.now(UTC)


def words(kind: type[enum.StrEnum]) -> Enum:
    """Store an enumeration as its values, with a CHECK, so that both databases refuse any other."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=16,
        values_callable=lambda members: [member.value for member in members],
        name=kind.__name__.lower(),
    )


class Base(DeclarativeBase):
    """Names every constraint, so that a migration can change it."""

    type_annotation_map: ClassVar = {datetime: UTCDateTime}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
