"""The time that machines agree on."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.models import now


def clock(session: Session) -> datetime:
    """Return the time as the database knows it."""
    if session.get_bind().dialect.name != "mysql":
        return now()  # an SQLite file has the clock of whoever opens it
    time: datetime = session.execute(text("SELECT UTC_TIMESTAMP(6)")).scalar_one()
    return time.replace(tzinfo=UTC)
