"""Notes how large the volume is and how much of it is free, for the administrators' page."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from db.engine import transaction
from db.models import Volume, now


@transaction(writes=True)
def record_disk_space(session: Session, *, size: int, free: int) -> None:
    """Note the bytes of the volume, and those that are free."""
    session.execute(update(Volume).values(size=size, free=free, measured_at=now()))
