"""The files of videos that are in an object store."""

import enum
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Label, ObjectKey, RowId, Sha256Hex, now, words


class ObjectState(enum.StrEnum):
    """The state of an object: its bytes are being written, are the file's, or were replaced."""

    WRITING = "writing"
    CURRENT = "current"
    RETIRED = "retired"


class StoredObject(Base):
    """An object: a file of a video, or a former version of one, in an object store.

    A file without a current object is on the disk, at `<video>/<name>`. The row is inserted before
    the bytes are written, so every object has a row. A key is used once, and its bytes never
    change. A video with objects cannot be removed: whoever removes it deletes them first.
    """

    __tablename__ = "objects"
    __table_args__ = (
        UniqueConstraint("video_id", "name", "is_current"),
        UniqueConstraint("store", "key"),
        Index("ix_objects_state_changed_at", "state", "changed_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    video_id: Mapped[str] = mapped_column(ForeignKey("videos.id"))
    name: Mapped[str] = mapped_column(Label)  # "original.mp4", "hls/720p.m3u8"
    store: Mapped[str] = mapped_column(Label, default="s3")
    key: Mapped[str] = mapped_column(ObjectKey)  # below the store's prefix
    size: Mapped[int | None] = mapped_column(BigInteger)  # bytes, once they are all there
    sha256: Mapped[str | None] = mapped_column(Sha256Hex)
    state: Mapped[ObjectState] = mapped_column(words(ObjectState), default=ObjectState.WRITING)
    # True or NULL: a file has one current object at most.
    is_current: Mapped[bool | None]
    # Since when it is in this state. Whoever writes it brings this up to date meanwhile.
    changed_at: Mapped[datetime] = mapped_column(default=now)
