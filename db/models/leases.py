"""Which process does a duty that one at a time should do."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Label


class Lease(Base):
    """A duty, and the process that does it; see `common/duty.py`.

    The row is inserted when the duty is first taken. The time is the database's.
    """

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(Label, primary_key=True)
    holder: Mapped[str | None] = mapped_column(Label)
    leased_until: Mapped[datetime | None]
    fence: Mapped[int]  # how often it has gone to another holder
