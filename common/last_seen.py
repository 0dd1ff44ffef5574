"""When each account was last in use: a column, written every five minutes at most."""

from datetime import timedelta

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from db.engine import transaction
from db.models import User, now

SEEN_EVERY = timedelta(minutes=5)
"""How exact the time is."""


@transaction(writes=True)
def record_seen(session: Session, user_id: int) -> None:
    """Note that an account is in use now, unless that was noted within :data:`SEEN_EVERY`."""
    moment = now()
    old = or_(User.last_seen_at.is_(None), User.last_seen_at < moment - SEEN_EVERY)
    statement = update(User).where(User.id == user_id, old).values(last_seen_at=moment)
    session.execute(statement, execution_options={"synchronize_session": False})
